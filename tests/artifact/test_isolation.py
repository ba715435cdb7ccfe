"""A model tries to get out of its process. Where Linux's means are there, nothing succeeds, and honest work goes on."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pytest_mlgates.adapters.scoring import isolation
from pytest_mlgates.adapters.scoring.confinement import Confinement, missing_protections
from pytest_mlgates.adapters.scoring.isolation import PROTECTIONS
from pytest_mlgates.adapters.scoring.scorer import ChildScorer
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports import Attempt

from .attempts import ATTEMPTS, HONEST, ROWS, WHOLE, Outcome, as_a_whole, ask, attempted, furnished, possible, save

pytestmark = pytest.mark.skipif(not possible(), reason="this kernel has no Landlock 6 or no seccomp")


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return furnished(tmp_path_factory.mktemp("room"))


@pytest.fixture(scope="module")
def outcome(room: Path) -> Outcome:
    return attempted(room)


def test_every_protection_holds_here() -> None:
    missing = missing_protections()
    missing.pop("shared memory", None)  # a container may refuse namespaces
    assert missing == {}


def test_there_are_enough_attempts() -> None:
    assert len(ATTEMPTS) >= 42


@pytest.mark.parametrize("name", ATTEMPTS)
def test_an_attempt_fails(outcome: Outcome, name: str) -> None:
    assert not outcome.succeeded[name]


@pytest.mark.parametrize("name", HONEST)
def test_honest_work_goes_on(outcome: Outcome, name: str) -> None:
    assert outcome.works[name]


def test_attempts_are_reported(outcome: Outcome, room: Path) -> None:
    """The first twenty, each with the protection that refused it; numbers of processes are left out."""
    assert len(outcome.reported) == 20
    for protection, what in (
        ("network", "to open a socket"),
        ("network", "to look up the name localhost.localdomain.test"),
        ("writing", f"to write {room / 'new'}"),
        ("writing", f"to change {room / 'secret'}"),
        ("reading", f"to read {room / 'secret'}"),
        ("reading", "to read /etc/shadow"),
        ("reading", "to read /proc/PROCESS/environ"),
    ):
        assert Attempt(protection, what, held=True) in outcome.reported


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return as_a_whole(tmp_path_factory.mktemp("whole"))


@pytest.mark.parametrize("name", WHOLE)
def test_what_a_whole_process_tries_is_reported_and_harms_no_other_model(whole: dict[str, str], name: str) -> None:
    assert re.search(f"^tries:? .*({WHOLE[name][1]})", whole[name])


def test_nothing_was_left_behind(outcome: Outcome, room: Path) -> None:
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
    source = "import isolation.trial as trial, sys, json; trial.confine = lambda plan: {}"
    source += "; print(json.dumps(trial.proven(*sys.argv[1:])))"
    import json
    import tempfile

    with tempfile.TemporaryDirectory() as own, tempfile.TemporaryDirectory() as outside:
        Path(outside, "secret").write_text("")
        folder = Path(isolation.__file__).parents[1]
        done = subprocess.run(
            [sys.executable, "-S", "-c", source, own, outside],
            env={"PYTHONPATH": str(folder)},
            capture_output=True,
            text=True,
            check=True,
        )
    assert set(json.loads(done.stdout)) == set(PROTECTIONS)


@pytest.mark.slow
def test_where_isolation_is_required_and_missing_no_model_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pytest_mlgates.adapters.scoring import scoring_child

    copied = tmp_path / "program"
    shutil.copytree(Path(scoring_child.__file__).parent, copied)
    (copied / "isolation" / "__init__.py").write_text(
        "from .noted import watch\nfrom .readable import packages\n"
        "def confine(plan): return {'network': 'no kernel for it'}\n"
    )
    monkeypatch.setattr(scoring_child, "__file__", str(copied / "scoring_child.py"))
    files = save(
        tmp_path / "loops",
        LOOPS.replace("while True:", "__import__('socket').socket(); return np.zeros(2)\n        while True:"),
    )
    for required in (True, False):
        scorer = ChildScorer(timeout=60, environ=os.environ, confinement=Confinement(required=required))
        try:
            if required:
                said = "exit code 70; its last words: RuntimeError: models cannot be isolated here"
                with pytest.raises(CouldNotEvaluate, match=re.escape(said)):
                    ask(scorer, files)
            else:
                model = scorer.open(files, "tries")
                model.start("predict", ROWS)
                assert len(model.answer().values) == 2
                assert model.tried == (Attempt("network", "to open a socket", held=False),)
        finally:
            scorer.close()


def test_folders_on_the_path_are_looked_into_by_python_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkout on PYTHONPATH: what lies in it beside packages is not read, and nobody has tried to."""
    from pytest_mlgates.adapters.scoring.isolation.noted import Watch

    (tmp_path / "secret").write_text("hush")
    monkeypatch.syspath_prepend(str(tmp_path))
    watch = Watch({"read": [], "write": [str(tmp_path / "own")], "ports": [], "processes": False})
    assert watch.kinds["os.listdir"]("os.listdir", (str(tmp_path),)) is None
    assert watch.kinds["open"]("open", (str(tmp_path), "r", os.O_RDONLY)) is None
    secret = tmp_path / "secret"
    assert watch.kinds["open"]("open", (str(secret), "r", os.O_RDONLY)) == ("reading", f"to read {secret}")


def test_a_signal_to_itself_is_none_of_anybodys_business() -> None:
    from pytest_mlgates.adapters.scoring.isolation.noted import Watch

    watch = Watch({"read": [], "write": ["/nowhere"], "ports": [], "processes": False})
    assert watch.kinds["os.kill"]("os.kill", (os.getpid(), 0)) is None
    above, others = "to send a signal to the process above", "to send a signal to other processes"
    assert watch.kinds["os.kill"]("os.kill", (os.getppid(), 0)) == ("signals", above)
    assert watch.kinds["os.killpg"]("os.killpg", (0, 0)) == ("signals", others)


COUNTS = """
import sys
import isolation, joblib
found = []
plan = {"read": isolation.packages(), "write": ["/nowhere"], "ports": [], "processes": False}
isolation.watch(plan, {}, found.append)
joblib.cpu_count(only_physical_cores=True)
counted = list(found)
import subprocess
subprocess.run(["true"])
print(counted, [one["what"] for one in found])
"""


def test_that_joblib_counts_cores_is_no_attempt_and_any_other_process_is() -> None:
    done = subprocess.run(
        [sys.executable, "-c", COUNTS],
        env={"PYTHONPATH": str(Path(isolation.__file__).parents[1]), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split("\n")[0] == "[] ['to start a process (subprocess.Popen)']"
