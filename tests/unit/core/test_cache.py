"""The answer cache only ever saves time."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlgates.cache import AnswerCache, write_atomically
from pytest_mlgates.ports import Answer

ANSWER = Answer(np.linspace(0, 1, 50), "predict_proba", "sklearn", (0, 1))


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    cache = AnswerCache(tmp_path)
    assert cache.load("k") is None
    cache.store("k", ANSWER)
    found = cache.load("k")
    assert found is not None
    assert np.array_equal(found.values, ANSWER.values)
    assert (found.method, found.flavour, found.classes) == ("predict_proba", "sklearn", (0, 1))


@settings(max_examples=60)
@given(st.data())
def test_a_damaged_file_counts_as_absent(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("cache")
    cache = AnswerCache(folder)
    cache.store("k", ANSWER)
    file = next(folder.rglob("*.answer"))
    raw = bytearray(file.read_bytes())
    body = raw.index(b"\n") + 1
    place = data.draw(st.integers(body, len(raw) - 1))
    if data.draw(st.booleans()):
        raw[place] ^= data.draw(st.integers(1, 255))
    else:
        del raw[place:]
    file.write_bytes(raw)
    assert cache.load("k") is None


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "evidence.json"
    write_atomically(file, b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(file, b"new")
    assert file.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["evidence.json"]


def test_a_cache_that_cannot_be_written_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "answers").write_text("a file where the folder should be")
    cache = AnswerCache(tmp_path)
    cache.store("k", ANSWER)
    with cache.alone("k"):
        assert cache.load("k") is None
