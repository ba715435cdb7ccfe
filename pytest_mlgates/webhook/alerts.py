"""Alertmanager's webhook, version 4: which of its alerts are ours to look into."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_mlgates.webhook.door import Refused

#: Alerts in one post; Alertmanager groups, and a group of more is no group.
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Alert:
    """`fingerprint` is made from the labels here: what a post calls itself proves nothing."""

    name: str
    labels: Mapping[str, str]
    starts: str

    @property
    def fingerprint(self) -> str:
        told = json.dumps(sorted(self.labels.items())).encode()
        return hashlib.sha256(told).hexdigest()[:32]


def alerts(body: bytes, model: str, label: str, names: Collection[str]) -> list[Alert]:
    """Those that fire, are about `model` (by `label`), and are called one of `names`; where no names are given, those
    with component="model". Each once. Raises Refused for what is no such post."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, "it is not JSON") from None
    found = told.get("alerts") if isinstance(told, dict) else None
    if not isinstance(found, list):
        raise Refused(400, 'it is no post of Alertmanager: it has no list "alerts"')
    if told.get("version") not in (None, "4"):
        raise Refused(400, f"its version is {str(told['version'])[:20]!r}; this understands 4")
    if len(found) > _MOST:
        raise Refused(400, f"it has {len(found)} alerts; at most {_MOST} are read")
    mine = [_alert(one) for one in found if _fires(one)]
    ours = [a for a in mine if a.labels.get(label) == model and _wanted(a, names)]
    return list({alert.fingerprint: alert for alert in ours}.values())


def _wanted(alert: Alert, names: Collection[str]) -> bool:
    return alert.name in names if names else alert.labels.get("component") == "model"


def _fires(one: Any) -> bool:
    if not isinstance(one, dict) or one.get("status") not in ("firing", "resolved"):
        raise Refused(400, "an alert in it is neither firing nor resolved")
    return bool(one["status"] == "firing")


def _alert(one: Mapping[str, Any]) -> Alert:
    labels, starts = one.get("labels"), one.get("startsAt", "")
    if not isinstance(labels, dict) or not all(isinstance(value, str) for value in labels.values()):
        raise Refused(400, "an alert in it has no labels")
    if not isinstance(starts, str) or not labels.get("alertname"):
        raise Refused(400, "an alert in it has no name or no time")
    return Alert(labels["alertname"], labels, starts[:40])
