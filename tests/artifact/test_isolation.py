"""A model tries to get out of its process. Where Linux's means are there, nothing succeeds, and honest work goes on."""

from __future__ import annotations

import os
import re
import socket
import sys
from pathlib import Path

import numpy as np
import pytest

from pytest_mlgates.adapters.scoring import isolation
from pytest_mlgates.adapters.scoring.confinement import Confinement, missing_protections
from pytest_mlgates.adapters.scoring.isolation import PROTECTIONS
from pytest_mlgates.adapters.scoring.scorer import ChildScorer
from pytest_mlgates.errors import CouldNotEvaluate

from .attempts import ATTEMPTS, HONEST, WHOLE, Outcome, as_a_whole, ask, attempted, furnished, possible, save

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
    (said,) = outcome.reported
    assert said.startswith("model tried ")
    assert said.endswith(": refused")
    for sentence in (
        "to open a socket",
        f"to write {room / 'new'}",
        f"to read {room / 'secret'}",
        "to read /etc/shadow",
    ):
        assert sentence in said


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
    import subprocess
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
    copied.mkdir()
    here = Path(scoring_child.__file__).parent
    (copied / "scoring_child.py").write_text((here / "scoring_child.py").read_text())
    (copied / "isolation.py").write_text(
        "def packages(): return []\ndef noted(plan): return []\n"
        "def confine(plan): return {'network': 'no kernel for it'}\n"
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
