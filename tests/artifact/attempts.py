"""Runs the model of escapes.py, and others that try to get out by what their whole process does."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import socket
import sys
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from pytest_mlgates.adapters.scoring.confinement import Confinement
from pytest_mlgates.adapters.scoring.scorer import ChildScorer
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports import Attempt

SOURCE = (Path(__file__).parent / "escapes.py").read_text()
SHOWN = ["TEST_SHM", "TEST_ROOM", "TEST_PORT", "TEST_GATE", "TEST_HOME"]
ROWS = pd.DataFrame({"a": [1.0, 2.0]})


def _names(table: str) -> list[str]:
    """The keys of a table in the model's source, which is not for importing here."""
    start = SOURCE.index(f"{table} = {{")
    return re.findall(r'^    "([^"]+)": ', SOURCE[start : SOURCE.index("\n}\n", start)], re.MULTILINE)


ATTEMPTS, HONEST = _names("ATTEMPTS"), _names("HONEST")
PREDICTS = """
import mlflow, numpy as np, os, signal, socket, struct, sys, time
from mlflow.pyfunc import PythonModel

def wire():
    return next(fd for fd in range(3, 256) if os.path.exists(f"/proc/self/fd/{fd}")
                and "socket" in os.readlink(f"/proc/self/fd/{fd}"))

class Model(PythonModel):
    def predict(self, context, model_input, params=None):
        BODY

mlflow.models.set_model(Model())
"""
#: What a whole process may try -> (what predict does, how it is reported).
WHOLE = {
    "an endless loop": ("while True: pass", "did not answer within"),
    "sleep without end": ("time.sleep(10_000)", "did not answer within"),
    "stop itself": ("os.kill(os.getpid(), signal.SIGSTOP)", "did not answer within"),
    "hang up and go on": ("os.close(wire()); time.sleep(10_000)", "its process was killed by SIGKILL"),
    "announce an endless answer": (
        "os.write(wire(), struct.pack('>QQ', 2, 1 << 60) + b'{}'); time.sleep(10_000)",
        "gave what is no answer: it announces",
    ),
    "an answer that no array is": (
        "os.write(wire(), struct.pack('>QQ', 2, 3) + b'{}xyz'); time.sleep(10_000)",
        "gave what is no answer: its array cannot be read",
    ),
    "an answer byte by byte": (
        "fd = wire()\n        while True: os.write(fd, b'\\0'); time.sleep(0.05)",
        "gave what is no answer|did not answer within",
    ),
    "write to the terminal": ("raise ValueError('\\x1b[2J\\n::error::x')", r"raised ValueError: \[2J ::error::x$"),
    "fill the log": ("os.ftruncate(2, 2 << 30)", "raised OSError|SIGXFSZ"),
    "exit as if all were well": ("os._exit(0)", "its process ended with exit code 0"),
    "crash": ("os.abort()", "its process was killed by SIGABRT"),
    "more memory than there is": ("bytearray(1 << 42)", "raised MemoryError"),
}


class Outcome(NamedTuple):
    """`succeeded` by attempt, `works` by honest work, `reported` what the gates were told was tried."""

    succeeded: dict[str, bool]
    works: dict[str, bool]
    reported: tuple[Attempt, ...]


def possible() -> bool:
    """Whether this kernel has the means, asked of itself and not of the code that is tested."""
    if not sys.platform.startswith("linux") or os.uname().machine not in ("x86_64", "aarch64"):
        return False
    landlock = ctypes.CDLL(None).syscall(444, None, 0, 1)
    return bool(landlock >= 6) and Path("/proc/sys/kernel/seccomp/actions_avail").exists()


def furnished(room: Path) -> Path:
    """Secrets, as they lie beside a checkout."""
    room.mkdir(exist_ok=True)
    (room / "secret").write_text("hush")
    (room / ".env").write_text("TOKEN=hush")
    (room / "home" / ".ssh").mkdir(parents=True)
    (room / "home" / ".ssh" / "id_ed25519").write_text("hush")
    return room


def save(folder: Path, source: str) -> Path:
    import mlflow.pyfunc

    script = folder.with_suffix(".py")
    script.write_text(textwrap.dedent(source))
    mlflow.pyfunc.save_model(str(folder), python_model=str(script), pip_requirements=["mlflow"])
    return folder


def ask(scorer: ChildScorer, files: Path) -> Any:
    model = scorer.open(files, files.name)
    model.start("auto", ROWS)
    return model.answer().values


def attempted(room: Path) -> Outcome:
    """Every attempt of escapes.py, made in the process of a model while a second model is open."""
    environ = dict(os.environ) | {"TEST_SECRET": "hush", "SSH_AUTH_SOCK": "/tmp/agent", "TEST_GATE": str(os.getpid())}
    before = dict(os.environ)
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as local:
        local.bind(str(room / "socket"))
        local.listen()
        environ["TEST_SHM"] = str(Path("/dev/shm").stat().st_dev)
        environ |= {"TEST_ROOM": str(room), "TEST_HOME": str(room / "home"), "TEST_PORT": str(server.getsockname()[1])}
        os.environ.update(environ)  # the model's script runs once while it is saved
        try:
            files = save(room / "model", SOURCE)
        finally:
            os.environ.clear()
            os.environ.update(before)
        scorer = ChildScorer(timeout=120, shown=SHOWN, environ=environ, confinement=Confinement(memory=2 << 30))
        try:
            # Its socket must not be within reach.
            other = scorer.open(files, "other")
            model = scorer.open(files, "model")
            model.start("auto", ROWS)
            values = model.answer().values
            other.start("predict", ROWS)
            other.answer()
        finally:
            scorer.close()
    assert len(values) == len(ATTEMPTS) + len(HONEST)
    found = dict(zip([*ATTEMPTS, *HONEST], map(bool, values), strict=True))
    return Outcome({name: found[name] for name in ATTEMPTS}, {name: found[name] for name in HONEST}, model.tried)


def as_a_whole(folder: Path) -> dict[str, str]:
    """What is reported of each of WHOLE, "" where nothing is; afterwards the scorer must still serve another model."""
    good = save(folder / "good", PREDICTS.replace("BODY", "return np.ones(len(model_input))"))
    scorer = ChildScorer(timeout=60, environ=os.environ)
    try:
        assert ask(scorer, good).tolist() == [1, 1]  # what is imported is imported
        said = {name: _said(scorer, name, shutil.copytree(good, folder / f"tries{n}")) for n, name in enumerate(WHOLE)}
        assert ask(scorer, good).tolist() == [1, 1]
    finally:
        scorer.close()
    return said


def _said(scorer: ChildScorer, name: str, files: Path) -> str:
    body, reported = WHOLE[name]
    (files / "good.py").write_text(PREDICTS.replace("BODY", body))
    model = scorer.open(files, "tries")
    model._wire.settimeout(1 if "did not answer" in reported else 60)
    model.start("predict", ROWS)
    try:
        model.answer()
    except CouldNotEvaluate as trouble:
        return str(trouble)
    return ""
