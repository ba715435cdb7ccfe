"""A version served on loopback by MLflow's own scoring server: started, asked, and gone with whoever started it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pytest_mlgates.adapters.serving.lease import Lease
from pytest_mlgates.adapters.serving.leftovers import Note, sweep
from pytest_mlgates.adapters.serving.mlflow_endpoint import MlflowEndpoint
from pytest_mlgates.errors import CouldNotEvaluate
from tests.artifact.attempts import possible
from tests.serving.processes import group, until

ENVIRON = dict(os.environ) | {"AWS_SECRET_ACCESS_KEY": "hush", "MLFLOW_TRACKING_TOKEN": "hush"}
FEATURES = ["x1", "x2", "x3", "x4"]


@pytest.fixture(scope="module")
def rows(template: Path) -> pd.DataFrame:
    return pd.read_csv(template / "golden.csv")[FEATURES].head(20)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def endpoint(template: Path, folder: Path, rows: pd.DataFrame) -> Iterator[MlflowEndpoint]:
    """The one server of this file that really starts."""
    made = MlflowEndpoint("champion credit v1", template / "models" / "champion", folder, environ=ENVIRON)
    try:
        made.until_answering(rows, 120)
        yield made
    finally:
        made.close()


def test_it_answers_as_the_model_does(endpoint: MlflowEndpoint, rows: pd.DataFrame, template: Path) -> None:
    import mlflow.sklearn

    itself = mlflow.sklearn.load_model(str(template / "models" / "champion"))
    np.testing.assert_array_equal(endpoint.answer(rows), itself.predict(rows))


def test_what_the_server_says_of_wrong_rows_is_quoted(endpoint: MlflowEndpoint, rows: pd.DataFrame) -> None:
    with pytest.raises(
        CouldNotEvaluate, match=r"champion credit v1 at http://\S+: HTTP 400: Encountered an unexpected error"
    ):
        endpoint.answer(rows.drop(columns="x4"))


def test_its_processes_see_no_secret(endpoint: MlflowEndpoint) -> None:
    [leader] = endpoint.processes
    members = group(leader)
    assert len(members) == 2
    for pid in members:
        seen = Path(f"/proc/{pid}/environ").read_text()
        assert "hush" not in seen
        assert "PATH=" in seen


TRIES = """
import mlflow, os, socket, subprocess
from mlflow.pyfunc import PythonModel

def tried(attempt):
    try:
        attempt()
    except Exception:
        return 0.0
    return 1.0

class Tries(PythonModel):
    def predict(self, context, model_input, params=None):
        attempts = [
            lambda: socket.create_connection(("127.0.0.1", int(os.environ["TEST_PORT"])), timeout=2),
            lambda: open(os.environ["TEST_ROOM"] + "/secret").read(),
            lambda: open(os.environ["TEST_ROOM"] + "/new", "w"),
            lambda: subprocess.run(["true"], check=True),
            lambda: open(os.environ["TMPDIR"] + "/new", "w"),
        ]
        return [tried(attempt) for attempt in attempts]

mlflow.models.set_model(Tries())
"""


@pytest.mark.skipif(not possible(), reason="this kernel has no Landlock 6 or no seccomp")
def test_a_served_model_is_confined_as_a_scored_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No network, no other files, no processes; its own folder is there."""
    import mlflow.pyfunc

    (tmp_path / "secret").write_text("hush")
    (tmp_path / "tries.py").write_text(TRIES)
    with socket.create_server(("127.0.0.1", 0)) as store:
        monkeypatch.setenv("TEST_PORT", str(store.getsockname()[1]))
        monkeypatch.setenv("TEST_ROOM", str(tmp_path))
        mlflow.pyfunc.save_model(
            str(tmp_path / "model"), python_model=str(tmp_path / "tries.py"), pip_requirements=["mlflow"]
        )
        shown = ["TEST_PORT", "TEST_ROOM"]
        made = MlflowEndpoint("tries", tmp_path / "model", tmp_path / "run", shown=shown, environ=dict(os.environ))
        try:
            five = pd.DataFrame({"a": [1.0] * 5})
            made.until_answering(five, 120)
            assert list(made.answer(five)) == [0, 0, 0, 0, 1]
        finally:
            made.close()
    assert not (tmp_path / "new").exists()


def test_nobody_else_can_take_its_port(endpoint: MlflowEndpoint) -> None:
    with pytest.raises(OSError, match="Address already in use"):
        socket.create_server(("127.0.0.1", int(endpoint.url.rpartition(":")[2])))


def test_it_is_noted_for_the_next_run(endpoint: MlflowEndpoint, folder: Path) -> None:
    [leader] = endpoint.processes
    note = json.loads((folder / f"{leader}.json").read_text())
    assert note["what"] == "champion credit v1"
    assert (note["process"]["pid"], note["owner"]["pid"]) == (leader, os.getpid())
    assert sweep(folder) == []  # its owner is alive
    assert len(group(leader)) == 2


def test_a_model_that_cannot_be_loaded_is_said_with_the_end_of_the_log(tmp_path: Path, rows: pd.DataFrame) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "MLmodel").write_text("flavors: {}\n")
    made = MlflowEndpoint("challenger credit v2", tmp_path / "model", tmp_path / "run", environ=ENVIRON)
    with pytest.raises(CouldNotEvaluate) as raised:
        made.until_answering(rows, 120)
    made.close()
    said = str(raised.value)
    assert re.search(r"^challenger credit v2 at \S+: its server ended with exit code 1; the end of its log: .*", said)
    assert "mlflow.exceptions.MlflowException: " in said
    assert "^^^" not in said
    assert list((tmp_path / "run").iterdir()) == []


# Nothing outlives whoever started it. The command that is tied is a sleeping one, which costs no start.

SLEEPS = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(1000)"]
PARENT = """
import os, subprocess, sys
tied = [sys.executable, "-m", "pytest_mlgates.adapters.serving.tied_child", *sys.argv[1:]]
child = subprocess.Popen(tied, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
child.stdout.readline()
print(child.pid, flush=True)
child.wait()
"""


def test_a_parent_that_is_killed_leaves_nothing() -> None:
    command = [sys.executable, "-c", PARENT, *SLEEPS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        leader = int(parent.stdout.readline())
        assert len(group(leader)) == 2
        parent.kill()
    assert until(lambda: not group(leader))


def test_a_tie_that_is_killed_takes_the_command_along() -> None:
    command = [sys.executable, "-m", "pytest_mlgates.adapters.serving.tied_child", *SLEEPS]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True) as tied:
        assert tied.stdout is not None
        tied.stdout.readline()
        os.kill(tied.pid, signal.SIGKILL)
        tied.wait()
        assert until(lambda: not group(tied.pid))


@pytest.mark.parametrize(
    ("code", "ended"), [("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 9)", 128 + 9)]
)
def test_the_end_of_the_command_is_the_end_of_the_tie(code: str, ended: int) -> None:
    command = [sys.executable, "-m", "pytest_mlgates.adapters.serving.tied_child", sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as tied:
        assert tied.wait(20) == ended


# What a run that was killed left behind.


@pytest.fixture
def survivor() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"], start_new_session=True) as process:
        yield process
        process.kill()


def noted(folder: Path, process: Lease, owner: Lease, name: str = "1.json") -> Path:
    log = folder / "server.log"
    log.write_text("started")
    said = {"what": "champion credit v1", "log": str(log)}
    for key, lease in (("process", process), ("owner", owner)):
        said[key] = {"pid": lease.pid, "started": lease.started}
    file = folder / name
    file.write_text(json.dumps(said))
    return file


def gone() -> Lease:
    """A process that is no more."""
    with subprocess.Popen(["true"]) as process:
        return Lease.of(process.pid)


def test_what_still_runs_is_ended_and_said(tmp_path: Path, survivor: subprocess.Popen[bytes]) -> None:
    noted(tmp_path, Lease.of(survivor.pid), gone())
    assert sweep(tmp_path) == [
        "a run that was killed had started a server for champion credit v1; it still ran and was ended "
        f"(process {survivor.pid})"
    ]
    assert survivor.wait(20) == -signal.SIGKILL
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_only_has_the_same_number_is_left_alone(
    tmp_path: Path, survivor: subprocess.Popen[bytes]
) -> None:
    noted(tmp_path, Lease(survivor.pid, "long ago"), gone())
    [said] = sweep(tmp_path)
    assert said.endswith("it is gone already")
    assert survivor.poll() is None


def test_the_servers_of_a_run_that_is_alive_are_left_alone(tmp_path: Path, survivor: subprocess.Popen[bytes]) -> None:
    log = tmp_path / "server.log"
    log.touch()
    Note.write(tmp_path, survivor.pid, "champion credit v1", log)
    assert sweep(tmp_path) == []
    assert survivor.poll() is None
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("text", ["", "{", "[]", '{"process": {"pid": 1}}', '{"process": 1, "owner": 2}'])
def test_a_damaged_note_is_thrown_away_and_kills_nobody(tmp_path: Path, text: str) -> None:
    (tmp_path / "1.json").write_text(text)
    assert sweep(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
