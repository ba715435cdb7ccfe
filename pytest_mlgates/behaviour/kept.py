"""Counter-examples kept between runs, to be tried first next time. The file can be deleted at any time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_mlgates.behaviour.case import Case, CounterExample
from pytest_mlgates.cache import write_atomically

#: The newest of one property and column that are kept.
_MOST = 5
Kept = dict[tuple[str, str], list[Case]]


def load(file: Path) -> tuple[Kept, str]:
    """(cases by property and column, a remark where the file could not be read)."""
    try:
        listed = json.loads(file.read_text(encoding="utf-8"))["counterexamples"]
        found: Kept = {}
        for one in listed:
            found.setdefault((str(one["property"]), str(one["column"])), []).append(Case.from_plain(one))
        return found, ""
    except FileNotFoundError:
        return {}, ""
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}, f"{file.name} could not be read, so nothing was tried again"


def store(file: Path, kept: Mapping[tuple[str, str], Sequence[Case]], new: Sequence[CounterExample]) -> None:
    """Write `kept` with the `new` ones first. Raises OSError."""
    merged = {key: list(cases) for key, cases in kept.items()}
    for one in new:
        cases = merged.setdefault((one.broken, one.column), [])
        if one.wrong.case not in cases:
            cases.insert(0, one.wrong.case)
    rows = [
        {"property": name, "column": column, **case.to_plain()}
        for (name, column), cases in merged.items()
        for case in cases[:_MOST]
    ]
    text = ",\n ".join(json.dumps(row, ensure_ascii=False) for row in rows)
    write_atomically(file, f'{{"counterexamples": [\n {text}\n]}}\n'.encode())
