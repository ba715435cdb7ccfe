"""When to teach the model anew: drift and decay together, on several looks in a row. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pytest_mlgates.policy import Retrain


@dataclass(frozen=True, slots=True)
class Checked:
    """One look: at `at` seconds since 1970, of `champion`; the largest `drift` (a stability index) and the largest
    `loss` of quality, None where that is not known."""

    at: float
    champion: str
    drift: float | None
    loss: float | None


def checked(run: Mapping[str, Any], policy: Retrain) -> Checked:
    """What a run in brief (`runs.brief`) says of drift and decay."""
    drift = _figures(run, policy.drift, "psi")
    gains = _figures(run, policy.decay, "gain")
    worst = None if gains is None else -min(gains)
    return Checked(float(run["finished_at"]), str(run["champion"]), None if drift is None else max(drift), worst)


def event(model: str, looks: Sequence[Checked], told: Collection[str], policy: Retrain) -> dict[str, Any] | None:
    """What is to be sent after the last of `looks`, or None. `told` are champions that it was sent for before."""
    row = looks[-policy.checks :]
    if len(row) < policy.checks or not row[-1].champion or row[-1].champion in told:
        return None
    if any(look.champion != row[-1].champion or not _both(look, policy) for look in row):
        return None
    return {
        "event": policy.event,
        "model": model,
        "champion": row[-1].champion,
        "drift_limit": policy.psi,
        "loss_limit": policy.loss,
        "looks": [asdict(look) for look in row],
    }


def _both(look: Checked, policy: Retrain) -> bool:
    return look.drift is not None and look.drift > policy.psi and look.loss is not None and look.loss >= policy.loss


def _figures(run: Mapping[str, Any], gates: Iterable[str], measure: str) -> list[float] | None:
    """The figures of these gates whose measure ends so; None when one of the gates has none, or one is not known."""
    found: list[float] = []
    for name in gates:
        mine = [gate for gate in run["gates"] if gate["name"] == name and gate["verdict"] != "ERROR"]
        told = [one["value"] for gate in mine for one in gate["measured"] if str(one["measure"]).endswith(measure)]
        values = [float(value) for value in told if isinstance(value, (int, float)) and math.isfinite(value)]
        if not values or len(values) < len(told):
            return None
        found += values
    return found or None
