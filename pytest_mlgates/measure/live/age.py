"""How long ago what serves was trained."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Mapping

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.pins import Pins

#: A version's tag that says it, in ISO 8601; without one the end of its run does.
TAG = "mlgates.trained_at"


def age(pins: Pins, ended: Callable[[str], float | None]) -> Evidence:
    """Days since the champion was trained; `ended` gives when a run ended. Raises CouldNotEvaluate if nobody knows."""
    if pins.problem or pins.champion is None:
        raise CouldNotEvaluate(pins.problem or "there is no champion")
    version = pins.champion.version
    then = _tagged(version.tags, str(version))
    if then is None and version.run_id:
        then = ended(version.run_id)
    if then is None:
        raise CouldNotEvaluate(
            f"nobody knows when {version.model} {version} was trained: it has no run, and no tag {TAG} such as "
            '"2027-01-31T12:00:00+00:00"'
        )
    days = (time.time() - then) / 86_400
    if days < -1:
        raise CouldNotEvaluate(
            f"{version.model} {version} was trained {-days:.1f} days from now: whose clock is wrong?"
        )
    details = {"trained_at": datetime.datetime.fromtimestamp(then, datetime.UTC).isoformat(timespec="seconds")}
    return Evidence("days since training", max(0.0, days), 1, details=details)


def _tagged(tags: Mapping[str, str], version: str) -> float | None:
    said = tags.get(TAG, "")
    if not said:
        return None
    try:
        return datetime.datetime.fromisoformat(said).timestamp()
    except ValueError:
        raise CouldNotEvaluate(f"the tag {TAG} of {version} is {said!r}: write a time in ISO 8601") from None
