"""Every gadget is refused before anything is loaded, and reading it runs nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_mlgates.artifact import Scan

from . import corpus

Read = Callable[[Path], Scan]
#: Loads one pickle a fork, so that what one payload breaks does not save the next.
LOADS = """
import os, pickle, sys
for folder in sys.argv[1:]:
    if os.fork() == 0:
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)
        os.dup2(1, 2)
        try:
            pickle.load(open(os.path.join(folder, "model.pkl"), "rb"))
        finally:
            os._exit(0)
    os.wait()
"""


def test_the_corpus_is_as_large_as_it_says() -> None:
    names = [gadget.name for gadget in corpus.ALL]
    assert len(names) == len(set(names)) >= 60


@pytest.mark.parametrize("gadget", corpus.ALL, ids=lambda gadget: gadget.name)
def test_a_gadget_is_refused(gadget: corpus.Gadget, tmp_path: Path, read: Read) -> None:
    gadget.build(tmp_path / "model", tmp_path / "marker")
    found = read(tmp_path / "model")
    assert found.problems
    assert not (tmp_path / "marker").exists()


def test_the_payloads_are_real(tmp_path: Path) -> None:
    """Where plain pickle.load is enough, it runs them: a corpus of duds would be refused just as well."""
    live = [gadget for gadget in corpus.ALL if gadget.loads]
    folders = []
    for number, gadget in enumerate(live):
        folder = tmp_path / str(number)
        gadget.build(folder, folder / "marker")
        folders.append(folder)
    subprocess.run([sys.executable, "-c", LOADS, *map(str, folders)], check=True, timeout=120)
    duds = [gadget.name for gadget, folder in zip(live, folders, strict=True) if not (folder / "marker").exists()]
    assert not duds
    assert len(live) >= 40


def test_the_sentence_names_the_file_and_what_is_wrong(tmp_path: Path, read: Read) -> None:
    corpus.sklearn(tmp_path / "model", corpus.payload(tmp_path / "marker") + b".")
    (problem,) = read(tmp_path / "model").problems
    assert str(problem) == "model.pkl: it names os.system, which is not on the list of what its flavour needs"


def test_a_trusted_digest_vouches_for_code_but_not_for_links(tmp_path: Path, read: Read) -> None:
    folder = tmp_path / "model"
    corpus.sklearn(folder, corpus.payload(tmp_path / "marker") + b".")
    found = read(folder)
    assert found.problems
    assert not found.untrusted([found.digest])
    (folder / "passwords").symlink_to("/etc/passwd")
    linked = read(folder)
    assert [str(problem) for problem in linked.untrusted([linked.digest])] == ["passwords: it is a link"]
