"""The head of the evidence: what was judged, under which settings, on what."""

from __future__ import annotations

import platform
import sys
from typing import Any

from pytest_mlgates.incident import runbook
from pytest_mlgates.session.prepared import Prepared
from pytest_mlgates.session.tried import listed


def heading(prepared: Prepared) -> dict[str, Any]:
    """What was judged, under which settings, on what: with the digests and versions needed to judge again."""
    settings, pins = prepared.settings, prepared.pins
    from importlib.metadata import version

    return {
        "phase": settings.phase,
        "champion": pins.champion,
        "challenger": pins.challenger,
        "first_champion": pins.first,
        "golden_set": _golden(prepared),
        "thresholds": {role: {"value": value, "from": source} for role, (value, source) in prepared.thresholds.items()},
        "registry": prepared.doors.name if prepared.doors else "",
        "settings": settings.model_dump(mode="json", exclude={"base", "origins", "registry"}),
        "settings_from": dict(settings.origins),
        "required": list(prepared.required.names),
        "budget": prepared.budget,
        "waived": dict(prepared.required.waived),
        "runbooks": runbooks(prepared),
        "override": prepared.opening.override,
        "tried": listed(prepared.run.tried()),
        "not_asked_for": list(prepared.required.unasked),
        "environment": {
            "python": platform.python_version(),
            "platform": sys.platform,
            **{name: version(name) for name in ("pytest-mlgates", "pytest", "numpy", "mlflow")},
        },
    }


def runbooks(prepared: Prepared) -> dict[str, str]:
    """Required gate -> the address of its runbook, or the command that shows it; a gate of the user's own has none."""
    links = {name: runbook.link(name, prepared.settings.runbooks) for name in prepared.required.names}
    return {name: link.strip("`") for name, link in links.items() if link}


def _golden(prepared: Prepared) -> dict[str, Any] | None:
    pointer = prepared.pins.golden
    if pointer is None:
        return None
    return {
        "file": prepared.settings.golden,
        "md5": pointer.md5,
        "commit": pointer.commit,
        "remark": pointer.remark,
    }
