"""Is the challenger a new model at all?"""

from __future__ import annotations

from pytest_mlgates.evidence import Evidence
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.model import Model
from pytest_mlgates.wording import YES_NO


def novelty(golden: GoldenSet, champion: Model | None, challenger: Model) -> Evidence:
    """1 when the challenger differs from the champion, 0 when it is the same version, the same files, or answers
    every golden row with the same bits (a re-logged copy, whose files differ).
    """
    import numpy as np

    n = len(golden)
    if champion is None:
        return _novelty(True, n, "there is no champion yet, so anything is new")
    if champion.version == challenger.version:
        return _novelty(False, n, f"champion and challenger are the same version, v{champion.version}")
    if champion.digest == challenger.digest:
        return _novelty(False, n, "the challenger's files are the champion's, byte for byte")
    first, second = champion.answers(golden.X), challenger.answers(golden.X)
    if np.array_equal(first, second):
        return _novelty(False, n, f"the challenger answers all {n} golden rows exactly as the champion does")
    if first.shape != second.shape:
        return _novelty(True, n, "the challenger answers in another form than the champion")
    different = int((first != second).reshape(n, -1).any(axis=1).sum())
    return _novelty(True, n, f"{different} of {n} golden rows are scored differently")


def _novelty(new: bool, n: int, reason: str) -> Evidence:
    return Evidence("new", float(new), n, unit=YES_NO, details={"reason": reason})
