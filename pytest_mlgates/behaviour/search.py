"""Looks for a case that breaks a property, and makes it as small as it gets: Hypothesis drives, seeded and bounded."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pytest_mlgates.behaviour.case import Case, CounterExample, Wrong
from pytest_mlgates.behaviour.properties import Property
from pytest_mlgates.behaviour.strategies import hypothesis
from pytest_mlgates.ports import Rows, Said

Ask = Callable[[Sequence[Rows]], list[Said]]
#: Seconds that making one counter-example smaller may take.
_SHRINKING = 15.0


@dataclass(slots=True)
class Found:
    """What became of one property: `rows` were asked about in `cases` cases, of which `again` were kept from before.
    `counter` is None where it held.
    """

    tested: Property
    cases: int = 0
    rows: int = 0
    again: int = 0
    counter: CounterExample | None = None

    @property
    def untried(self) -> bool:
        """Nothing new was made up: that what was once found is mended says nothing of the rest."""
        return self.counter is None and self.cases == self.again


def tried(
    one: Property,
    ask: Ask,
    *,
    examples: int,
    seed: int,
    deadline: float,
    shrink: bool = True,
    kept: Sequence[Case] = (),
) -> Found:
    """`kept` cases first, then made-up ones, up to `examples`, until `deadline` (of time.monotonic).

    With `shrink` a counter-example is made smaller, for a while. The same seed gives the same cases.
    """
    found = Found(one)
    for case in kept:
        wrong = _checked(one, ask, case, found)
        found.again += 1
        if wrong is not None:
            found.counter = CounterExample(*one.key, wrong, one.promise, replayed=True)
            return found
    if time.monotonic() < deadline:
        wrong = _searched(one, ask, found, examples, seed, deadline, shrink=shrink)
        if wrong is not None:
            found.counter = CounterExample(*one.key, wrong, one.promise, shrunk=shrink)
    return found


def _searched(
    one: Property, ask: Ask, found: Found, examples: int, seed: int, deadline: float, *, shrink: bool
) -> Wrong | None:
    library = hypothesis()
    known: dict[str, Wrong | None] = {}
    smallest: list[Wrong] = []
    until = [deadline]

    def breaks(case: Case) -> bool:
        key = repr(case)
        if key not in known:
            # What is not asked any more counts as fine, so that the search ends with what it has.
            if time.monotonic() > until[0]:
                return False
            known[key] = _checked(one, ask, case, found)
            found_now = known[key]
            if found_now is not None and not smallest:
                until[0] = time.monotonic() + (0.0 if found_now.broke else _SHRINKING)
        wrong = known[key]
        if wrong is not None:
            smallest[:] = [wrong]
        return wrong is not None

    phases = [library.Phase.generate, *([library.Phase.shrink] if shrink else [])]
    settings = library.settings(
        max_examples=max(1, round(examples * one.share)),
        database=None,
        deadline=None,
        phases=phases,
        suppress_health_check=list(library.HealthCheck),
        print_blob=False,
        verbosity=library.Verbosity.quiet,
    )
    # A strategy that gives nothing leaves the property untried, which is said and never passes.
    with contextlib.suppress(library.errors.NoSuchExample, library.errors.Unsatisfiable):
        library.find(one.cases(), breaks, settings=settings, random=random.Random(f"{seed} {one.key}"))
    # The last one that broke is the smallest: find() ends by asking it again.
    return smallest[-1] if smallest else None


def _checked(one: Property, ask: Ask, case: Case, found: Found) -> Wrong | None:
    asks = one.asks(case)
    said = ask(asks)
    found.cases += 1
    found.rows += sum(map(len, asks))
    return one.wrong(case, said)
