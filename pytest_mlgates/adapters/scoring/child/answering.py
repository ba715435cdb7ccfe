"""The model asked, question by question: whatever it answers or raises is an answer."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
from pathlib import Path
from typing import Any

from .cells import frame, unpacked
from .frames import Channel
from .loading import load


def serve(channel: Channel, files: Path, described: Any = None) -> None:
    """Load the model when first asked, and answer until the gate hangs up: EOFError. `described` as `load` has it."""
    model: Any = None
    while True:
        question, payload = channel.question()
        try:
            model = model or load(files, described)
            header, answer = _answer(model, question, payload)
        except BaseException as problem:  # noqa: BLE001 - whatever a model raises is an answer, not our end
            header, answer = {"error": f"{type(problem).__name__}: {problem}"[:2000]}, b""
            if isinstance(problem, ModuleNotFoundError):
                header["absent"] = problem.name
        channel.answer(header, answer)


def _answer(loaded: dict[str, Any], question: dict[str, Any], payload: bytes) -> tuple[dict[str, Any], bytes]:
    import numpy as np

    if question["rows"] == "look":
        # What it finds out of the model itself, by the module look_shap or look_torch.
        looking = importlib.import_module(f".look_{question['with']}", __package__)
        return {"classes": []}, json.dumps(looking.look(loaded, json.loads(payload), frame)).encode()
    model, method = loaded["model"], question["method"]
    if method == "auto":
        method = "predict_proba" if hasattr(model, "predict_proba") else "predict"
    if not hasattr(model, method):
        raise TypeError(f"the {loaded['flavour']} model has no {method}")
    classes = np.asarray(getattr(model, "classes_", ())).tolist()
    said = {"method": method, "flavour": loaded["flavour"], "classes": classes}
    if question["rows"] == "asks":
        told = json.loads(payload)
        with _one_thread():
            asks = [_said(loaded, method, rows, told["dtypes"]) for rows in told["asks"]]
        return said, json.dumps(asks, default=str).encode()
    stream = io.BytesIO()
    np.save(stream, _values(loaded, method, unpacked(question["rows"], payload)), allow_pickle=False)
    return said, stream.getvalue()


def _values(loaded: dict[str, Any], method: str, rows: Any) -> Any:
    import numpy as np

    if hasattr(rows, "columns") and loaded["columns"] is not None:
        missing = [column for column in loaded["columns"] if column not in rows.columns]
        if missing:
            raise KeyError(f"the model's signature asks for columns the rows lack: {', '.join(missing)}")
        rows = rows[loaded["columns"]]
    values = np.asarray(getattr(loaded["model"], method)(rows))
    return values.astype(str) if values.dtype == object else values


def _said(loaded: dict[str, Any], method: str, rows: list[dict[str, Any]], dtypes: dict[str, str]) -> dict[str, Any]:
    """What the model says of one small frame; that it refuses is an answer, that it breaks is another."""
    try:
        return {"values": _values(loaded, method, frame(rows, dtypes)).tolist()}
    except BaseException as problem:  # noqa: BLE001 - whatever a model raises is an answer, not our end
        broken = isinstance(problem, (MemoryError, RecursionError)) or not isinstance(problem, Exception)
        return {"broke" if broken else "refused": f"{type(problem).__name__}: {problem}"[:500]}


def _one_thread() -> Any:
    """For a row or two, starting threads takes longer than answering."""
    try:
        return importlib.import_module("threadpoolctl").threadpool_limits(1)
    except ImportError:
        return contextlib.nullcontext()
