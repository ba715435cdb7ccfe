"""Honest models of many libraries are not refused. What is not installed is skipped; scikit-learn always runs."""

from __future__ import annotations

import importlib.util
import logging
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_mlgates import fingerprint
from pytest_mlgates.artifact import Scan

from . import benign

ALWAYS = {"sklearn"}


@pytest.fixture(autouse=True)
def quiet() -> None:
    logging.getLogger("mlflow").setLevel(logging.ERROR)


def saved(one: benign.Benign, folder: Path) -> Path:
    """The model in `folder`; skips where its library is not installed."""
    if one.library not in ALWAYS and not importlib.util.find_spec(one.library):
        pytest.skip(f"{one.library} is not installed here")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        one.save(folder)
    return folder


@pytest.mark.parametrize("one", benign.ALL, ids=lambda one: one.name)
def test_an_honest_model_is_trusted(one: benign.Benign, tmp_path: Path, read: Callable[[Path], Scan]) -> None:
    found = read(saved(one, tmp_path / "model"))
    assert [str(problem) for problem in found.problems] == []
    assert found.digest == fingerprint.of_folder(tmp_path / "model")


@pytest.mark.parametrize("one", benign.BY_VALUE, ids=lambda one: one.name)
def test_code_by_value_is_a_class_of_its_own(one: benign.Benign, tmp_path: Path, read: Callable[[Path], Scan]) -> None:
    """Refused as code and nothing worse, until the settings trust the digest."""
    found = read(saved(one, tmp_path / "model"))
    assert "code" in {problem.kind for problem in found.problems}
    assert found.untrusted([found.digest]) == ()
    (tmp_path / "model" / "more").write_text("x")
    changed = read(tmp_path / "model")
    assert changed.untrusted([found.digest]) == changed.problems


def test_there_are_enough_of_them() -> None:
    assert len(benign.ALL) >= 60
    assert len({one.library for one in benign.ALL}) >= 10
