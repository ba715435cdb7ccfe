"""What every `Scorer` promises: a model's own answers, from a process that shares nothing with the gate."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pytest_mlgates.adapters.scoring.confinement import Confinement
from pytest_mlgates.adapters.scoring.scorer import ChildScorer
from pytest_mlgates.errors import CouldNotEvaluate

ENVIRON = dict(os.environ) | {"AWS_SECRET_ACCESS_KEY": "hush", "TEST_SHOWN": "seen"}
REVEALS = """
import os, sys
import mlflow, numpy as np
from mlflow.pyfunc import PythonModel

class Reveals(PythonModel):
    '''Answers what it finds of the gate: a secret, a shown variable, its package, its process.'''
    def predict(self, context, model_input, params=None):
        found = ["AWS_SECRET_ACCESS_KEY" in os.environ, "TEST_SHOWN" in os.environ, "pytest_mlgates" in sys.modules]
        found.append(os.getpid())
        return np.array(found, dtype=float)

mlflow.models.set_model(Reveals())
"""


@pytest.fixture(scope="module")
def scorer() -> Iterator[ChildScorer]:
    made = ChildScorer(timeout=60, shown=["TEST_SHOWN"], environ=ENVIRON)
    yield made
    made.close()


@pytest.fixture(scope="module")
def rows(template: Path) -> pd.DataFrame:
    return pd.read_csv(template / "golden.csv")


def ask(scorer: ChildScorer, files: Path, rows: Any, method: Any = "auto") -> Any:
    model = scorer.open(files, files.name)
    model.start(method, rows)
    return model.answer()


def test_the_answers_are_those_of_the_model_itself(scorer: ChildScorer, template: Path, rows: pd.DataFrame) -> None:
    import mlflow.sklearn

    features = rows[["x1", "x2", "x3", "x4"]]
    itself = mlflow.sklearn.load_model(str(template / "models" / "champion"))
    answer = ask(scorer, template / "models" / "champion", features)
    assert (answer.method, answer.flavour, answer.classes) == ("predict_proba", "sklearn", (0, 1))
    np.testing.assert_array_equal(answer.values, itself.predict_proba(features))
    labels = ask(scorer, template / "models" / "champion", features, "predict")
    np.testing.assert_array_equal(labels.values, itself.predict(features))


def test_frames_and_arrays_get_the_same_answers(scorer: ChildScorer, template: Path, rows: pd.DataFrame) -> None:
    features = rows[["x1", "x2", "x3", "x4"]]
    model = scorer.open(template / "models" / "champion", "champion")
    model.start("auto", features)
    model.start("auto", features.to_numpy())
    np.testing.assert_array_equal(model.answer().values, model.answer().values)


def test_models_do_not_see_each_other(scorer: ChildScorer, template: Path, rows: pd.DataFrame) -> None:
    features = rows[["x1", "x2", "x3", "x4"]]
    first = scorer.open(template / "models" / "champion", "champion")
    second = scorer.open(template / "models" / "worse", "worse")
    bad = scorer.open(template / "models" / "dies", "dies")
    for model in (first, second, bad):
        model.start("auto", features)
    with pytest.raises(CouldNotEvaluate, match="was killed by SIGKILL"):
        bad.answer()
    assert not np.array_equal(first.answer().values, second.answer().values)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("raises", "raises raised RuntimeError: the feature store is down"),
        ("dies", "dies: its process was killed by SIGKILL; its last words: allocating 64 GiB"),
        ("exits", "exits: its process ended with exit code 3; its last words: licence expired"),
    ],
)
def test_trouble_is_said_in_one_sentence(
    scorer: ChildScorer, template: Path, rows: pd.DataFrame, name: str, sentence: str
) -> None:
    with pytest.raises(CouldNotEvaluate) as trouble:
        ask(scorer, template / "models" / name, rows)
    assert str(trouble.value) == sentence


def test_a_method_that_the_model_lacks(scorer: ChildScorer, template: Path, rows: pd.DataFrame) -> None:
    with pytest.raises(CouldNotEvaluate, match="raised TypeError: the pyfunc model has no predict_proba"):
        ask(scorer, template / "models" / "labels", rows, "predict_proba")


def test_files_that_cannot_be_loaded(scorer: ChildScorer, tmp_path: Path, rows: pd.DataFrame) -> None:
    (tmp_path / "MLmodel").write_text("flavors: {}\n")
    with pytest.raises(CouldNotEvaluate, match=f"{tmp_path.name} raised "):
        ask(scorer, tmp_path, rows)


def test_the_child_sees_no_secret_and_nothing_of_the_gate(
    scorer: ChildScorer, tmp_path: Path, rows: pd.DataFrame
) -> None:
    import mlflow.pyfunc

    script = tmp_path / "reveals.py"
    script.write_text(textwrap.dedent(REVEALS))
    mlflow.pyfunc.save_model(str(tmp_path / "model"), python_model=str(script), pip_requirements=["mlflow"])
    secret, shown, loaded, pid = ask(scorer, tmp_path / "model", rows).values
    assert (secret, shown, loaded) == (0, 1, 0)
    assert int(pid) != os.getpid()


def test_silence_is_bounded(template: Path, rows: pd.DataFrame, tmp_path: Path) -> None:
    scorer = ChildScorer(timeout=2, environ=os.environ)
    try:
        started = time.monotonic()
        with pytest.raises(CouldNotEvaluate, match="hangs did not answer within 2 s: raise scoring_timeout"):
            ask(scorer, template / "models" / "hangs", rows)
        assert time.monotonic() - started < 60
    finally:
        scorer.close()


def processes_of(session: int) -> list[int]:
    """Living processes of a session, as `ps -s` would list them."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, sid = stat.read_text().rpartition(")")[2].split()[:4]
        except (OSError, ValueError):
            continue
        if int(sid) == session and state not in "ZX":
            found.append(int(stat.parent.name))
    return found


def asked(pipe: Path) -> int:
    """The id of the hanging model's process, once it has been asked."""
    return int(pipe.read_text())


def test_closing_leaves_no_process(template: Path, rows: pd.DataFrame, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    environ = dict(os.environ) | {"TEST_PIPE": str(tmp_path / "pipe")}
    may = Confinement(writable=(str(tmp_path),))
    scorer = ChildScorer(timeout=60, shown=["TEST_PIPE"], environ=environ, confinement=may)
    scorer.open(template / "models" / "hangs", "hangs").start("auto", rows)
    session = os.getsid(asked(tmp_path / "pipe"))
    assert len(processes_of(session)) == 2
    scorer.close()
    scorer.close()  # closing twice is fine
    assert until(lambda: not processes_of(session))


PARENT = """
import os, sys, pandas as pd
from pathlib import Path
from pytest_mlgates.adapters.scoring.confinement import Confinement
from pytest_mlgates.adapters.scoring.scorer import ChildScorer
template, pipe = sys.argv[1:]
may = Confinement(writable=(str(Path(pipe).parent),))
scorer = ChildScorer(timeout=60, shown=["TEST_PIPE"], environ=dict(os.environ) | {"TEST_PIPE": pipe}, confinement=may)
model = scorer.open(Path(template) / "models" / "hangs", "hangs")
model.start("auto", pd.read_csv(Path(template) / "golden.csv"))
model.answer()
"""


def test_a_parent_that_was_killed_leaves_no_process(template: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(template), str(tmp_path / "pipe")])
    session = os.getsid(asked(tmp_path / "pipe"))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert until(lambda: not processes_of(session))


def until(true: Any, seconds: float = 20) -> bool:
    """Whether it comes true in time; ends as soon as it does."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
