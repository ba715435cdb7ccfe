"""The last run of each phase in a few lines, for whoever asks later: an exporter, a retraining rule."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_mlgates.cache import write_atomically

#: Figures of one gate that are kept, the first ones.
_MOST = 100


def brief(document: Mapping[str, Any], exit_code: int) -> dict[str, Any]:
    """What is kept of `document`, the plain data of evidence.json."""
    return {
        "model": str(document["settings"]["model"]),
        "phase": str(document["phase"]),
        "finished_at": float(document["measured_times"]["finished_at"]),
        "action": str(document["decision"]["action"]),
        "verdict": str(document["decision"]["verdict"]),
        "exit": exit_code,
        "champion": str(((document.get("champion") or {}).get("version") or {}).get("number", "")),
        "gates": [
            {
                "name": gate["name"],
                "verdict": gate["verdict"],
                "measured": [_figure(judgement) for judgement in gate["judgements"][:_MOST]],
            }
            for gate in document["gates"]
        ],
    }


def keep(folder: Path, run: Mapping[str, Any]) -> None:
    """Keep `run` as the last of its phase in `folder`. Raises OSError."""
    write_atomically(_file(folder, run["model"], run["phase"]), json.dumps(run, allow_nan=False).encode())


def kept(folder: Path, model: str) -> dict[str, dict[str, Any]]:
    """Phase -> its last run, of those that can be read."""
    found = {}
    for phase in ("promotion", "live", "drill"):
        try:
            run = json.loads(_file(folder, model, phase).read_bytes())
            if run["model"] == model and run["phase"] == phase and float(run["finished_at"]) >= 0 and run["gates"] != 0:
                found[phase] = run
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found


def _figure(judgement: Mapping[str, Any]) -> dict[str, Any]:
    evidence = judgement["evidence"]
    told = {key: evidence[key] for key in ("measure", "where", "unit", "value")}
    return {**told, "verdict": judgement["verdict"], "low": (evidence["interval"] or {}).get("low")}


def _file(folder: Path, model: str, phase: str) -> Path:
    """A model may have any name; a file may not."""
    return folder / f"{phase}-{mark(model)}.json"


def mark(model: str) -> str:
    """Stands for the model in a file's name."""
    return hashlib.sha256(model.encode("utf-8", "replace")).hexdigest()[:12]
