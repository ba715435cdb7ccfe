"""Can the version be followed back to its run, code, data and files?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.origin.lineage import Part
from pytest_mlgates.wording import YES_NO


def traceable(parts: Sequence[Part], problem: str) -> Iterator[Evidence]:
    """One figure when every part holds, else one for each that does not. `problem` is why nothing could be pinned.

    Raises CouldNotEvaluate, after what is known to be wrong, for what git or the registry did not answer.
    """
    if problem or not parts:
        raise CouldNotEvaluate(problem or 'the lineage was not looked up: list "lineage" in gates')
    details = {part.name: part.reason for part in parts}
    broken = [part for part in parts if part.holds is False]
    silent = [part.reason for part in parts if part.holds is None]
    for part in broken:
        said = {**details, "reason": part.reason}
        yield Evidence("traceable", 0, len(parts), unit=YES_NO, where=part.name, details=said)
    if silent:
        raise CouldNotEvaluate("; ".join(dict.fromkeys(silent)))
    if not broken:
        reason = ", ".join(part.reason for part in parts[1:])
        yield Evidence("traceable", 1, len(parts), unit=YES_NO, details={**details, "reason": reason})
