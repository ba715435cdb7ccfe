"""The process that runs models: started by path, imports the heavy libraries once, then forks one child a model.

It speaks frames over sockets and shares no memory with the gate. The parent imports `send` and `receive`
from here, so that both sides speak the same frames; nothing heavy is imported at the top.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import io
import json
import os
import pickle
import signal
import socket
import struct
import sys
import tempfile
from pathlib import Path
from typing import Any

_LENGTHS = struct.Struct(">QQ")
#: Flavours whose own loader gives predict_proba; pyfunc answers labels for these.
NATIVE = ("sklearn", "xgboost", "lightgbm", "catboost")
_PRELOAD = ("pandas", "pyarrow", "yaml", "sklearn.ensemble", "sklearn.linear_model", "skops.io")


def send(connection: socket.socket, header: dict[str, Any], payload: bytes = b"") -> None:
    words = json.dumps(header).encode()
    connection.sendall(_LENGTHS.pack(len(words), len(payload)) + words)
    connection.sendall(payload)


def receive(connection: socket.socket) -> tuple[dict[str, Any], bytes]:
    """The next frame. Raises EOFError when the other side is gone, TimeoutError when the socket has a limit."""
    words, payload = _LENGTHS.unpack(_exactly(connection, _LENGTHS.size))
    return json.loads(_exactly(connection, words)), _exactly(connection, payload)


def main(control: socket.socket) -> None:
    """Open models until the parent goes away, then take every child along."""
    gc.disable()
    isolation = _beside("isolation")
    _import_quietly(_PRELOAD)
    # What is imported is no garbage, and a frozen heap stays shared with the forks.
    gc.freeze()
    gc.enable()
    packages = isolation.packages()
    children: dict[str, int] = {}
    pending, handed = b"", list[int]()
    while True:
        # A stream may join two orders in one read; lines keep them apart, and descriptors arrive in their order.
        read, fds, _, _ = socket.recv_fds(control, 65536, 64)
        if not read:
            os.killpg(0, signal.SIGKILL)
        *orders, pending = (pending + read).split(b"\n")
        handed += fds
        for order in map(json.loads, orders):
            if order["do"] == "open":
                _import_quietly(order["imports"])
                order["confine"]["read"] = [*packages, order["files"]]
                children[order["key"]] = _fork(isolation, handed.pop(0), handed.pop(0), order)
            elif order["do"] == "kill":
                os.kill(children[order["key"]], signal.SIGKILL)
            else:
                _, status = os.waitpid(children.pop(order["key"]), 0)
                control.sendall(json.dumps(os.waitstatus_to_exitcode(status)).encode())


def _fork(isolation: Any, wire: int, log: int, order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        os.close(wire)
        os.close(log)
        return pid
    try:
        os.dup2(log, 1)
        os.dup2(log, 2)
        # The channel to the gate, and above all the channels of models that are opened next, are none of its business.
        os.closerange(3, wire)
        os.closerange(wire + 1, os.sysconf("SC_OPEN_MAX"))
        _confine(isolation, order)
        with contextlib.suppress(EOFError, OSError):
            _serve(socket.socket(fileno=wire), Path(order["files"]))
    except BaseException as problem:  # noqa: BLE001 - a child must never go on as its parent
        print(f"{type(problem).__name__}: {problem}", file=sys.stderr, flush=True)
        os._exit(70)
    os._exit(0)


def _confine(isolation: Any, order: dict[str, Any]) -> None:
    """Nothing of the model is read before this is done. Raises RuntimeError for what must be had and cannot be."""
    plan = order["confine"]
    own = plan["write"][0]
    os.chdir(own)
    os.environ |= {"HOME": own, "TMPDIR": own, "NUMBA_CACHE_DIR": own, "MPLCONFIGDIR": own}
    tempfile.tempdir = None
    missing = isolation.confine(plan)
    if plan["required"] and missing:
        why = "; ".join(f"{name}: {reason}" for name, reason in missing.items())
        raise RuntimeError(f"models cannot be isolated here ({why})")


def _beside(name: str) -> Any:
    """A module that lies beside this file: it is started by path, so that nothing of the gate is on its path."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _serve(connection: socket.socket, files: Path) -> None:
    model: Any = None
    while True:
        question, payload = receive(connection)
        try:
            model = model or _load(files)
            header, answer = _answer(model, question, payload)
        except BaseException as problem:  # noqa: BLE001 - whatever a model raises is an answer, not our end
            header, answer = {"error": f"{type(problem).__name__}: {problem}"[:2000]}, b""
        send(connection, header, answer)


def _load(files: Path) -> dict[str, Any]:
    import yaml

    described = yaml.safe_load((files / "MLmodel").read_text(encoding="utf-8"))
    for flavour in NATIVE:
        if flavour in described["flavors"]:
            native = _native(files, flavour, described["flavors"][flavour])
            if hasattr(native, "predict_proba"):
                return {"model": native, "flavour": flavour, "columns": _columns(described)}
    from mlflow import pyfunc

    return {"model": pyfunc.load_model(str(files)), "flavour": "pyfunc", "columns": _columns(described)}


def _native(files: Path, flavour: str, described: dict[str, Any]) -> Any:
    """The flavour's own object. A plain scikit-learn file is read as MLflow reads it, but without MLflow's
    imports, which take longer than scoring; anything out of the plain is MLflow's to load, or to refuse.
    """
    form, file = described.get("serialization_format", "pickle"), files / str(described.get("pickled_model"))
    plain = flavour == "sklearn" and not described.get("code") and file.is_file()
    if plain and os.environ.get("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "true").lower() in ("true", "1"):
        if form == "skops":
            import skops.io

            return skops.io.load(file, trusted=described.get("skops_trusted_types"))
        if form in ("pickle", "cloudpickle"):
            with file.open("rb") as stream:
                return pickle.load(stream)
    return importlib.import_module(f"mlflow.{flavour}").load_model(str(files))


def _columns(described: dict[str, Any]) -> list[str] | None:
    """The input columns of the model's signature, in order, or None where it has none."""
    inputs = (described.get("signature") or {}).get("inputs")
    columns = [column.get("name") for column in json.loads(inputs)] if inputs else []
    return columns if columns and all(columns) else None


def _answer(loaded: dict[str, Any], question: dict[str, Any], payload: bytes) -> tuple[dict[str, Any], bytes]:
    import numpy as np

    model, method = loaded["model"], question["method"]
    if method == "auto":
        method = "predict_proba" if hasattr(model, "predict_proba") else "predict"
    if not hasattr(model, method):
        raise TypeError(f"the {loaded['flavour']} model has no {method}")
    rows = _rows(question["rows"], payload)
    if question["rows"] == "frame" and loaded["columns"] is not None:
        missing = [column for column in loaded["columns"] if column not in rows.columns]
        if missing:
            raise KeyError(f"the model's signature asks for columns the rows lack: {', '.join(missing)}")
        rows = rows[loaded["columns"]]
    values = np.asarray(getattr(model, method)(rows))
    if values.dtype == object:
        values = values.astype(str)
    stream = io.BytesIO()
    np.save(stream, values, allow_pickle=False)
    classes = np.asarray(getattr(model, "classes_", ())).tolist()
    return {"method": method, "flavour": loaded["flavour"], "classes": classes}, stream.getvalue()


def _rows(kind: str, payload: bytes) -> Any:
    if kind == "frame":
        import pyarrow as pa

        return pa.ipc.open_stream(payload).read_pandas()
    import numpy as np

    return np.load(io.BytesIO(payload), allow_pickle=False)


def _import_quietly(modules: Any) -> None:
    """Importing early only saves time: a module that is absent is named when a model needs it."""
    for module in modules:
        with contextlib.suppress(Exception):
            importlib.import_module(module)


def _exactly(connection: socket.socket, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        part = connection.recv(min(count - len(parts), 1 << 20))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
