"""How a torch model answers: in eval mode, without gradients, and leaving nothing behind."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.measure.plain_cells import plain_cells
from pytest_mlgates.model import Model
from pytest_mlgates.policy import InferenceHygiene
from pytest_mlgates.wording import YES_NO

#: What is found out -> what it is called when all is well, and what is said when it is not.
_CLEAN = {
    "training": ("eval mode", "in training mode while it answers"),
    "graph": ("no gradient graph", "builds a gradient graph while it answers"),
    "gradients": ("no gradients", "got a gradient by answering"),
    "changed": ("nothing changes", "is another after answering"),
}
_GROWING = ("tensors", "objects")
#: What grows in at least this share of the answers grows with them; a cache that fills does so once.
_STEADY = 0.9
_NAMED = 5


def hygiene(golden: GoldenSet, model: Model, policy: InferenceHygiene, within: float) -> list[Evidence]:
    """1 where all is well, a figure a kind: eval mode, gradients, state, and what is left behind by an answer.

    Raises CouldNotEvaluate for a model without a torch module, and where torch is not installed.
    """
    told = {
        "rows": plain_cells(golden.X.head(policy.rows)),
        "dtypes": {str(name): str(dtype) for name, dtype in golden.X.dtypes.items()},
        "rounds": policy.rounds,
    }
    try:
        found = model.explained({"with": "torch"}, told, within)
    except CouldNotEvaluate as problem:
        raise CouldNotEvaluate(f"inference_hygiene is about torch models: {problem}") from None
    if not isinstance(found, dict) or not all(isinstance(found.get(key), list) for key in (*_CLEAN, *_GROWING)):
        raise CouldNotEvaluate(f"{model.pinned} could not be looked at: what came back tells of no answers")
    evidence = [_clean(key, found, policy.rounds) for key in _CLEAN]
    return [*evidence, *(_growing(key, found, policy.rounds) for key in _GROWING)]


def _clean(key: str, found: Any, rounds: int) -> Evidence:
    name, wrong = _CLEAN[key]
    broken = [str(one) for one in found[key]]
    more = f" and {len(broken) - _NAMED} more" if len(broken) > _NAMED else ""
    reason = f"{', '.join(broken[:_NAMED])}{more} {wrong}" if broken else f"{name} in {rounds} answers"
    return Evidence(name, float(not broken), rounds, unit=YES_NO, details={"reason": reason, "names": broken})


def _growing(key: str, found: Any, rounds: int) -> Evidence:
    """Growth in nearly every answer, and not just once."""
    counts = [int(one) for one in found[key]]
    if len(counts) != rounds:
        raise CouldNotEvaluate(f"{len(counts)} of {rounds} answers were looked at")
    steps = [after - before for before, after in pairwise(counts)]
    grows = sum(step > 0 for step in steps) >= _STEADY * len(steps)
    left = (counts[-1] - counts[0]) / max(len(steps), 1)
    reason = f"{left:.3g} {key} are left behind by each answer" if grows else f"no {key} pile up over {rounds} answers"
    details = {"reason": reason, "first": counts[0], "last": counts[-1]}
    return Evidence(f"no growing number of {key}", float(not grows), rounds, unit=YES_NO, details=details)
