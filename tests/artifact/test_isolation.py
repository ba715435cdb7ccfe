"""A model tries to get out of its process. Where Linux's means are there, nothing succeeds, and honest work goes on."""

from __future__ import annotations

import ctypes
import os
import re
import socket
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pytest_mlgates.adapters.isolation import PROTECTIONS
from pytest_mlgates.adapters.scorer import ChildScorer, Confinement, missing_protections
from pytest_mlgates.errors import CouldNotEvaluate

SOURCE = (Path(__file__).parent / "escapes.py").read_text()


def names(table: str) -> list[str]:
    """The keys of a table in the model's source, which is not for importing here."""
    start = SOURCE.index(f"{table} = {{")
    return re.findall(r'^    "([^"]+)": ', SOURCE[start : SOURCE.index("\n}\n", start)], re.MULTILINE)


ATTEMPTS, HONEST = names("ATTEMPTS"), names("HONEST")
SHOWN = ["TEST_SHM", "TEST_ROOM", "TEST_PORT", "TEST_GATE", "TEST_HOME"]
ROWS = pd.DataFrame({"a": [1.0, 2.0]})


def possible() -> bool:
    """Whether this kernel has the means, asked of itself and not of the code that is tested."""
    if not sys.platform.startswith("linux") or os.uname().machine not in ("x86_64", "aarch64"):
        return False
    landlock = ctypes.CDLL(None).syscall(444, None, 0, 1)
    return bool(landlock >= 6) and Path("/proc/sys/kernel/seccomp/actions_avail").exists()


pytestmark = pytest.mark.skipif(not possible(), reason="this kernel has no Landlock 6 or no seccomp")


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("room")
    (place / "secret").write_text("hush")
    (place / ".env").write_text("TOKEN=hush")
    (place / "home" / ".ssh").mkdir(parents=True)
    (place / "home" / ".ssh" / "id_ed25519").write_text("hush")
    return place


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


@pytest.fixture(scope="module")
def outcome(room: Path) -> Iterator[dict[str, float]]:
    environ = dict(os.environ) | {"TEST_SECRET": "hush", "SSH_AUTH_SOCK": "/tmp/agent", "TEST_GATE": str(os.getpid())}
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as local:
        local.bind(str(room / "socket"))
        local.listen()
        environ["TEST_SHM"] = str(Path("/dev/shm").stat().st_dev)
        environ |= {"TEST_ROOM": str(room), "TEST_HOME": str(room / "home"), "TEST_PORT": str(server.getsockname()[1])}
        patched = pytest.MonkeyPatch()
        patched.setattr(os, "environ", environ)  # the model is run once while it is saved, and must not try then
        may = Confinement(memory=2 << 30)
        files = save(room / "model", SOURCE)
        scorer = ChildScorer(timeout=120, shown=SHOWN, environ=environ, confinement=may)
        patched.undo()
        try:
            # A second model is opened at the same time: its socket must not be within reach.
            other = scorer.open(files, "other")
            values = ask(scorer, files)
            other.start("predict", ROWS)
            other.answer()
        finally:
            scorer.close()
    assert len(values) == len(ATTEMPTS) + len(HONEST)
    yield dict(zip([*ATTEMPTS, *HONEST], values, strict=True))


def test_every_protection_holds_here() -> None:
    missing = missing_protections()
    missing.pop("shared memory", None)  # a container may refuse namespaces
    assert missing == {}


def test_there_are_enough_attempts() -> None:
    assert len(ATTEMPTS) >= 42


@pytest.mark.parametrize("name", ATTEMPTS)
def test_an_attempt_fails(outcome: dict[str, float], name: str) -> None:
    assert outcome[name] == 0


@pytest.mark.parametrize("name", HONEST)
def test_honest_work_goes_on(outcome: dict[str, float], name: str) -> None:
    assert outcome[name] == 1


def test_nothing_was_left_behind(outcome: dict[str, float], room: Path) -> None:
    assert (room / "secret").read_text() == "hush"
    assert {path.name for path in room.iterdir()} == {"secret", ".env", "home", "model", "model.py", "socket"}
    assert not [name for place in ("/tmp", "/dev/shm") for name in Path(place).glob("mlgates-escaped*")]


LOOPS = """
import mlflow, numpy as np, os
from mlflow.pyfunc import PythonModel

class Loops(PythonModel):
    def predict(self, context, model_input, params=None):
        print(os.getpid(), flush=True)
        while True:
            pass

mlflow.models.set_model(Loops())
"""
REACHES = """
import mlflow, numpy as np, os, socket
from mlflow.pyfunc import PythonModel

def reached(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return 0.0
    return 1.0

class Reaches(PythonModel):
    def predict(self, context, model_input, params=None):
        return np.array([reached(int(os.environ[name])) for name in ("TEST_STORE", "TEST_PORT")])

mlflow.models.set_model(Reaches())
"""


def test_an_endless_loop_is_ended(tmp_path: Path) -> None:
    files = save(tmp_path / "loops", LOOPS)
    scorer = ChildScorer(timeout=8, environ=os.environ)
    try:
        model = scorer.open(files, "loops")
        model.start("auto", ROWS)
        with pytest.raises(CouldNotEvaluate, match="loops did not answer within 8 s"):
            model.answer()
        assert scorer.end_of("1") == -9
    finally:
        scorer.close()


def test_a_feature_store_can_be_allowed_and_nothing_else(tmp_path: Path) -> None:
    files = save(tmp_path / "reaches", REACHES)
    with socket.create_server(("127.0.0.1", 0)) as store, socket.create_server(("127.0.0.1", 0)) as other:
        ports = {"TEST_STORE": str(store.getsockname()[1]), "TEST_PORT": str(other.getsockname()[1])}
        may = Confinement(ports=(store.getsockname()[1],))
        scorer = ChildScorer(timeout=60, shown=list(ports), environ=dict(os.environ) | ports, confinement=may)
        try:
            np.testing.assert_array_equal(ask(scorer, files), [1, 0])
        finally:
            scorer.close()


def test_a_model_may_write_only_its_own_folder_and_that_is_gone_afterwards(tmp_path: Path) -> None:
    source = LOOPS.replace(
        "print(os.getpid(), flush=True)", "return np.array([float(os.getcwd()[5:].startswith('mlg'))])"
    )
    files = save(tmp_path / "where", source)
    scorer = ChildScorer(timeout=60, environ=dict(os.environ) | {"TMPDIR": "/tmp"})
    before = set(Path(scorer._folder.name).parent.glob("mlgates-*"))
    try:
        assert ask(scorer, files) == [1.0]
    finally:
        scorer.close()
    assert not Path(scorer._folder.name).exists()
    assert Path(scorer._folder.name) in before


def test_every_protection_is_tried_and_none_assumed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the restrictions each attempt succeeds and is reported as missing, except the limit of memory."""
    source = "import isolation, sys, json; isolation.confine = lambda plan: {}"
    source += "; print(json.dumps(isolation.proven(*sys.argv[1:])))"
    import json
    import subprocess
    import tempfile

    with tempfile.TemporaryDirectory() as own, tempfile.TemporaryDirectory() as outside:
        Path(outside, "secret").write_text("")
        folder = Path(sys.modules["pytest_mlgates.adapters.isolation"].__file__ or "").parent
        done = subprocess.run(
            [sys.executable, "-S", "-c", source, own, outside],
            env={"PYTHONPATH": str(folder)},
            capture_output=True,
            text=True,
            check=True,
        )
    assert set(json.loads(done.stdout)) == set(PROTECTIONS)


def test_where_isolation_is_required_and_missing_no_model_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_mlgates.adapters import scoring_child

    copied = tmp_path / "program"
    copied.mkdir()
    here = Path(scoring_child.__file__).parent
    (copied / "scoring_child.py").write_text((here / "scoring_child.py").read_text())
    (copied / "isolation.py").write_text(
        "def packages(): return []\ndef confine(plan): return {'network': 'no kernel for it'}\n"
    )
    monkeypatch.setattr(scoring_child, "__file__", str(copied / "scoring_child.py"))
    files = save(tmp_path / "loops", LOOPS.replace("while True:", "return np.zeros(2)\n        while True:"))
    for required in (True, False):
        scorer = ChildScorer(timeout=60, environ=os.environ, confinement=Confinement(required=required))
        try:
            if required:
                said = "exit code 70; its last words: RuntimeError: models cannot be isolated here"
                with pytest.raises(CouldNotEvaluate, match=re.escape(said)):
                    ask(scorer, files)
            else:
                assert len(ask(scorer, files)) == 2
        finally:
            scorer.close()
