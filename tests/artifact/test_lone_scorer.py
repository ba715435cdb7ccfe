"""A model in an environment that is not the gate's: nothing of it runs before its process is confined."""

from __future__ import annotations

import os
import pickle
import sys
import venv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pytest_mlgates.adapters.scoring.confinement import Confinement
from pytest_mlgates.adapters.scoring.lone_scorer import LoneScorer
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports import Attempt

from . import corpus
from .attempts import possible

ROWS = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})


def scorer(timeout: float = 60, **may: object) -> LoneScorer:
    return LoneScorer(timeout=timeout, shown=(), environ=os.environ, confinement=Confinement(**may))  # type: ignore[arg-type]


def opened(lone: LoneScorer, files: Path, environment: Path, *, arrow: bool = True) -> object:
    model = lone.open(files, "v2", environment, arrow=arrow, lacks="nor does its lock have it")
    model.start("auto", ROWS)
    return model.answer()


@pytest.fixture
def fitted(tmp_path: Path) -> Path:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit([[0, 0], [1, 1], [2, 3], [4, 4]], [0, 0, 1, 1])
    corpus.sklearn(tmp_path / "fitted", pickle.dumps(model))
    (tmp_path / "expected.npy").write_bytes(model.predict_proba(ROWS.to_numpy()).tobytes())
    return tmp_path / "fitted"


@pytest.mark.parametrize("arrow", [True, False])
def test_it_answers_as_the_model_itself(fitted: Path, arrow: bool) -> None:
    expected = np.frombuffer((fitted.parent / "expected.npy").read_bytes()).reshape(2, 2)
    lone = scorer()
    try:
        answer = opened(lone, fitted, Path(sys.prefix), arrow=arrow)
        np.testing.assert_allclose(answer.values, expected)
        assert answer.classes == (0, 1)
    finally:
        lone.close()


def test_what_looks_into_a_model_can_be_read_there_too(fitted: Path) -> None:
    """The gate's own part of it is imported late, from a folder that no environment of a model names."""
    lone = scorer()
    try:
        model = lone.open(fitted, "v2", Path(sys.prefix), arrow=True, lacks="")
        with pytest.raises(
            CouldNotEvaluate, match=r"v2 (needs torch|raised ValueError: the model holds no torch module)"
        ):
            model.about({"with": "torch"}, {"rows": [], "dtypes": {}, "rounds": 1}, 60)
    finally:
        lone.close()


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    venv.create(tmp_path / "bare", with_pip=False, symlinks=True)
    return tmp_path / "bare"


def site(environment: Path) -> Path:
    (found,) = environment.glob("lib/python*/site-packages")
    return found


def test_what_its_environment_lacks_is_said(fitted: Path, bare: Path) -> None:
    lone = scorer()
    try:
        said = "v2 needs sklearn, which the environment that scores it lacks: nor does its lock have it"
        with pytest.raises(CouldNotEvaluate, match=said):
            opened(lone, fitted, bare, arrow=False)
    finally:
        lone.close()


@pytest.mark.skipif(not possible(), reason="this kernel has no Landlock 6 or no seccomp")
def test_code_that_lies_in_the_environment_is_confined_too(bare: Path, fitted: Path, tmp_path: Path) -> None:
    """A .pth file runs when the interpreter starts."""
    for number, name in enumerate(("evil.pth", "sitecustomize.py", "usercustomize.py")):
        (site(bare) / name).write_text(f"import os; open({str(tmp_path / f'marker{number}')!r}, 'w').close()\n")
    lone = scorer()
    try:
        with pytest.raises(CouldNotEvaluate, match="v2 "):
            opened(lone, fitted, bare, arrow=False)
        assert Attempt("writing", f"to write {tmp_path / 'marker0'}") in lone._made[0][0].tried
    finally:
        lone.close()
    assert not list(tmp_path.glob("marker*"))


def test_variables_that_bring_code_are_not_heeded(
    fitted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "json.py").write_text(f"open({str(tmp_path / 'marker')!r}, 'w').close()\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "path"))
    lone = scorer()
    try:
        opened(lone, fitted, Path(sys.prefix))
    finally:
        lone.close()
    assert not (tmp_path / "marker").exists()


def test_an_import_that_hangs_is_ended(bare: Path, tmp_path: Path) -> None:
    (site(bare) / "hangs.py").write_text("while True: pass\n")
    corpus.sklearn(tmp_path / "model", b"\x80\x04" + corpus.named("hangs", "Model") + b")\x81.")
    lone = scorer(timeout=3)
    try:
        with pytest.raises(CouldNotEvaluate, match="v2 did not answer within 3 s"):
            opened(lone, tmp_path / "model", bare, arrow=False)
        assert lone._made[0][1].end_of() == -9
    finally:
        lone.close()


def test_words_without_pandas_are_said(bare: Path, tmp_path: Path) -> None:
    frame = ROWS.assign(word=["x", None], when=pd.to_datetime(["2024-01-01", "2024-01-02"]), many=[[1], [2]])
    lone = scorer()
    try:
        corpus.harmless(tmp_path / "model")
        model = lone.open(tmp_path / "model", "v2", bare, arrow=False, lacks="")
        with pytest.raises(
            CouldNotEvaluate, match="column 'many' cannot be handed to a model whose environment has no"
        ):
            model.start("auto", frame)
    finally:
        lone.close()


def test_an_environment_without_python(fitted: Path, tmp_path: Path) -> None:
    with pytest.raises(CouldNotEvaluate, match=r"bin/python cannot be started"):
        scorer().open(fitted, "v2", tmp_path, arrow=True, lacks="")


def test_a_tree_without_end_in_mlmodel(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    (tmp_path / "MLmodel").write_text("\n".join(lines) + "\n")
    with pytest.raises(CouldNotEvaluate, match="cannot be read: it has more than 100000 entries"):
        scorer().open(tmp_path, "v2", Path(sys.prefix), arrow=True, lacks="")
