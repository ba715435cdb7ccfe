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
import time
from pathlib import Path
from typing import Any

_LENGTHS = struct.Struct(">QQ")
#: Flavours whose own loader gives predict_proba; pyfunc answers labels for these.
NATIVE = ("sklearn", "xgboost", "lightgbm", "catboost")
#: A child that hung up has so many hundredths of a second to end.
_POLLS = 300
_NUMBERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float64")
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
                if order["key"] in children:
                    os.kill(children[order["key"]], signal.SIGKILL)
            else:
                control.sendall(json.dumps(_end_of(children.pop(order["key"], 0))).encode())


def _end_of(pid: int) -> int | None:
    """The exit code of a child that has hung up; one that goes on running all the same is ended."""
    if not pid:
        return None
    for _ in range(_POLLS):
        gone, status = os.waitpid(pid, os.WNOHANG)
        if gone:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


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
        connection = socket.socket(fileno=wire)
        notes = confined(isolation, order["confine"])
        with contextlib.suppress(EOFError, OSError):
            _serve(connection, Path(order["files"]), notes)
    except BaseException as problem:  # noqa: BLE001 - a child must never go on as its parent
        print(f"{type(problem).__name__}: {problem}", file=sys.stderr, flush=True)
        os._exit(70)
    os._exit(0)


def alone(wire: socket.socket) -> None:
    """One model in an environment of its own, of which nothing is imported before this process is confined."""
    order, _ = receive(wire)
    isolation = _beside("isolation")
    order["confine"]["read"] += [*isolation.packages(), order["files"]]
    notes = confined(isolation, order["confine"])
    importlib.import_module("site").main()
    with contextlib.suppress(EOFError, OSError):
        _serve(wire, Path(order["files"]), notes, order["described"])


def confined(isolation: Any, plan: dict[str, Any]) -> list[str]:
    """Nothing of the model is read before this is done. Raises RuntimeError for what must be had and cannot be.

    Gives a list that grows with what the model tries all the same.
    """
    own = plan["write"][0]
    os.chdir(own)
    os.environ |= {"HOME": own, "TMPDIR": own, "NUMBA_CACHE_DIR": own, "MPLCONFIGDIR": own}
    tempfile.tempdir = None
    sys.dont_write_bytecode = True  # it may not, and would try at every import
    missing = isolation.confine(plan)
    os.chdir(own)  # the folder in memory that lies over it now
    if plan["required"] and missing:
        why = "; ".join(f"{name}: {reason}" for name, reason in missing.items())
        raise RuntimeError(f"models cannot be isolated here ({why})")
    notes: list[str] = isolation.noted(plan)
    return notes


def _beside(name: str) -> Any:
    """A module that lies beside this file: it is started by path, so that nothing of the gate is on its path."""
    place = Path(__file__).with_name(name)
    file, folders = (place / "__init__.py", [str(place)]) if place.is_dir() else (place.with_suffix(".py"), None)
    spec = importlib.util.spec_from_file_location(f"_{name}", file, submodule_search_locations=folders)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # the modules of a package find each other by its name
    spec.loader.exec_module(module)
    return module


def _serve(connection: socket.socket, files: Path, notes: list[str], described: Any = None) -> None:
    """`described` is MLmodel as a table, for an environment that may have no reader of YAML."""
    model: Any = None
    while True:
        question, payload = receive(connection)
        try:
            model = model or _load(files, described)
            header, answer = _answer(model, question, payload)
        except BaseException as problem:  # noqa: BLE001 - whatever a model raises is an answer, not our end
            header, answer = {"error": f"{type(problem).__name__}: {problem}"[:2000]}, b""
            if isinstance(problem, ModuleNotFoundError):
                header["absent"] = problem.name
        send(connection, {**header, "tried": notes}, answer)


def _load(files: Path, described: Any = None) -> dict[str, Any]:
    if described is None:
        import yaml

        described = yaml.safe_load((files / "MLmodel").read_text(encoding="utf-8"))
    found: dict[str, Any] = {}
    for flavour in NATIVE:
        if flavour in described["flavors"]:
            native = _native(files, flavour, described["flavors"][flavour])
            found = {"model": native, "flavour": flavour, "columns": _columns(described)}
            if hasattr(native, "predict_proba"):
                return found
    try:
        from mlflow import pyfunc
    except ModuleNotFoundError:
        if not found:
            raise
        return found  # in an environment without MLflow
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

    if question["rows"] == "look":
        # What it finds out of the model itself, by a module beside this file.
        found = _beside(f"{question['with']}_child").look(loaded, json.loads(payload), _frame)
        return {"classes": []}, json.dumps(found).encode()
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
    np.save(stream, _values(loaded, method, _rows(question["rows"], payload)), allow_pickle=False)
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


def _one_thread() -> Any:
    """For a row or two, starting threads takes longer than answering."""
    try:
        return importlib.import_module("threadpoolctl").threadpool_limits(1)
    except ImportError:
        return contextlib.nullcontext()


def _said(loaded: dict[str, Any], method: str, rows: list[dict[str, Any]], dtypes: dict[str, str]) -> dict[str, Any]:
    """What the model says of one small frame; that it refuses is an answer, that it breaks is another."""
    try:
        return {"values": _values(loaded, method, _frame(rows, dtypes)).tolist()}
    except BaseException as problem:  # noqa: BLE001 - whatever a model raises is an answer, not our end
        broken = isinstance(problem, (MemoryError, RecursionError)) or not isinstance(problem, Exception)
        return {"broke" if broken else "refused": f"{type(problem).__name__}: {problem}"[:500]}


def _frame(rows: list[dict[str, Any]], dtypes: dict[str, str]) -> Any:
    """A frame of cells of any kind: of the golden set's types where the cells fit them, else of their own."""
    import pandas as pd

    return pd.DataFrame({name: _cells([row[name] for row in rows], dtypes.get(name)) for name in rows[0]})


def _cells(cells: list[Any], dtype: str | None) -> Any:
    import numpy as np
    import pandas as pd

    # Numbers that fit are by far the most, and pandas takes a thousand times as long for one.
    kind = np.dtype(dtype) if dtype in _NUMBERS else None
    if kind is not None and kind.kind in "iu" and all(type(cell) is int for cell in cells):
        ends = np.iinfo(kind)
        if all(ends.min <= cell <= ends.max for cell in cells):
            return np.array(cells, dtype=kind)
    if (dtype == "float64" or (kind is not None and None in cells)) and all(
        cell is None or type(cell) in (int, float) for cell in cells
    ):
        return np.array([float("nan") if cell is None else cell for cell in cells], dtype="float64")
    return _fitted(pd.Series(cells), dtype)


def _fitted(cells: Any, dtype: str | None) -> Any:
    import pandas as pd

    try:
        if dtype is None or dtype.startswith("datetime"):
            return cells if dtype is None else pd.to_datetime(cells).astype(dtype)
        cast = cells.astype(dtype)
        same = ((cast == cells) | (cast.isna() & cells.isna())).all()
    except (TypeError, ValueError, OverflowError):
        return cells
    return cast if same else cells


def _rows(kind: str, payload: bytes) -> Any:
    if kind == "frame":
        import pyarrow as pa

        return pa.ipc.open_stream(payload).read_pandas()
    if kind == "columns":
        return _of_columns(json.loads(payload))
    import numpy as np

    return np.load(io.BytesIO(payload), allow_pickle=False)


def _of_columns(told: list[dict[str, Any]]) -> Any:
    """A frame for an environment without Arrow; where there is no pandas either, an array of numbers."""
    import numpy as np

    columns = {one["name"]: np.array(one["cells"], dtype=one["dtype"]) for one in told}
    try:
        import pandas as pd
    except ModuleNotFoundError:
        words = [name for name, cells in columns.items() if cells.dtype.kind not in "biuf"]
        if words:
            raise TypeError(f"there is no pandas in this environment, and {words[0]} holds no numbers") from None
        return np.column_stack(list(columns.values()))
    return pd.DataFrame(columns)


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


def tried(own: str, outside: str) -> None:
    """Print, as JSON, which protections do not hold in a process like a model's."""
    _beside("isolation")
    print(json.dumps(importlib.import_module("_isolation.trial").proven(own, outside)))


if __name__ == "__main__":
    if sys.argv[1] == "try":
        tried(*sys.argv[2:])
    elif sys.argv[1] == "alone":
        alone(socket.socket(fileno=int(sys.argv[2])))
    else:
        main(socket.socket(fileno=int(sys.argv[1])))
