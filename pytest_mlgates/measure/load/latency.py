"""Challenger and champion under the same load at the same time, looked at when enough was answered."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.measure.load.looks import Look, looks
from pytest_mlgates.measure.load.samples import errors, milliseconds, slowness, unbelievable
from pytest_mlgates.policy import Latency
from pytest_mlgates.ports import Call, Endpoint, LoadPlan, LoadRun, LoadRunner, LoadTarget, Samples

CHALLENGER, CHAMPION = "challenger", "champion"
#: Seconds between two words to whoever watches.
_PAUSE = 2.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What is judged of one endpoint."""

    p99: Evidence
    errors: Evidence


@dataclass(frozen=True, slots=True)
class Seen:
    """Both endpoints at one look; `champion` is None before the first promotion. `final`: no look follows."""

    challenger: Figures
    champion: Figures | None
    final: bool


@contextmanager
def under_load(
    load: LoadRunner,
    golden: GoldenSet,
    challenger: Endpoint,
    champion: Endpoint | None,
    policy: Latency,
    say: Callable[[str], None],
) -> Iterator[Iterator[Seen]]:
    """The looks at both endpoints while load is made, which ends with the context. Raises CouldNotEvaluate."""
    endpoints = {CHALLENGER: challenger} | ({CHAMPION: champion} if champion is not None else {})
    say("asking each payload once, without load")
    targets = tuple(_target(name, endpoint, golden, policy) for name, endpoint in endpoints.items())
    plan = LoadPlan(targets, policy.rate, policy.arrivals, policy.warm_up, policy.timeout, policy.seed)
    run = load.start(plan)
    try:
        yield _looked(run, policy, say)
    finally:
        run.stop()


def payloads(golden: GoldenSet, policy: Latency) -> list[Any]:
    """Golden rows without their label, drawn with the policy's seed: `payloads` frames of `rows` rows each."""
    import numpy as np

    rng = np.random.default_rng(policy.seed)
    need = policy.payloads * policy.rows
    chosen = rng.choice(len(golden), need, replace=need > len(golden))
    return [golden.X.iloc[part] for part in np.split(chosen, policy.payloads)]


def _target(name: str, endpoint: Endpoint, golden: GoldenSet, policy: Latency) -> LoadTarget:
    frames = payloads(golden, policy)
    calls: tuple[Call, ...] = tuple(endpoint.call(frame) for frame in frames)
    answers: tuple[list[Any], ...] = ()
    if policy.same_answers:
        answers = tuple(endpoint.answer(frame).tolist() for frame in frames)
    else:
        endpoint.answer(frames[0])
    return LoadTarget(name, calls, policy.rows, endpoint.wire, answers, endpoint.verify_tls, endpoint.ca)


def _looked(run: LoadRun, policy: Latency, say: Callable[[str], None]) -> Iterator[Seen]:
    deadline = time.monotonic() + policy.within
    planned = looks(policy)
    taken: Seen | None = None
    for look in planned:
        found = _waited(run, look, deadline, say)
        if min(len(one.due) for one in found.values()) < look.requests:
            break
        taken = _seen(found, look, run.busy(), policy, final=look is planned[-1])
        yield taken
    if taken is None:
        answered = min(len(one.due) for one in found.values())
        raise CouldNotEvaluate(
            f"{answered:,} of {planned[0].requests:,} requests were answered or given up within {policy.within:g} s: "
            "raise within, or rate"
        )
    if not taken.final:
        yield replace(taken, final=True)


def _waited(run: LoadRun, look: Look, deadline: float, say: Callable[[str], None]) -> dict[str, Samples]:
    while True:
        found = run.samples(look.requests, min(_PAUSE, max(0.0, deadline - time.monotonic())))
        say(_progress(found[CHALLENGER], look))
        if min(len(one.due) for one in found.values()) >= look.requests or time.monotonic() >= deadline:
            return found


def _seen(found: dict[str, Samples], look: Look, busy: float, policy: Latency, *, final: bool) -> Seen:
    made = {}
    for name, samples in found.items():
        distrust = unbelievable(samples, busy, policy)
        where = "" if name == CHALLENGER else name
        made[name] = Figures(
            replace(slowness(samples, look, policy, distrust), where=where),
            replace(errors(samples, look, policy, distrust), where=where),
        )
    return Seen(made[CHALLENGER], made.get(CHAMPION), final)


def _progress(samples: Samples, look: Look) -> str:
    import numpy as np

    if not len(samples.due):
        return "warming up"
    p50, p99 = np.quantile(milliseconds(samples), (0.5, 0.99))
    wrong = int((samples.fault != "").sum())
    said = f"{len(samples.due):,} of {look.requests:,} requests, p50 {p50:.1f} ms, p99 {p99:.1f} ms"
    return f"{said}, {wrong:,} wrong" if wrong else said
