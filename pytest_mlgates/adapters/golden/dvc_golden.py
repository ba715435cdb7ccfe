"""A golden set pinned by a DVC pointer (``FILE.dvc``).

The pointer's md5 is the plain md5 of the file, so the pin is checked by hashing and needs no DVC; DVC is
imported only to pull a file that is absent.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
from pathlib import Path

import yaml

from pytest_mlgates.adapters.golden.git_command import answer, git
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports import Pointer


class DvcGolden:
    """The golden set `file` with its pointer beside it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._pointer_file = file.with_name(file.name + ".dvc")

    def pointer(self) -> Pointer:
        """The pin. Raises CouldNotEvaluate when the pointer is missing or is not one file's pointer."""
        place = self._pointer_file
        if not place.is_file():
            raise CouldNotEvaluate(
                f"the golden set has no DVC pointer {place}: run `dvc add {self.file.name}` in {self.file.parent} "
                "and commit the pointer, so that the set is frozen"
            )
        try:
            out = yaml.safe_load(place.read_text(encoding="utf-8"))["outs"][0]
            md5, size = str(out["md5"]), out.get("size")
        except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, IndexError, TypeError):
            raise CouldNotEvaluate(f"{place} is not a DVC pointer with an md5: run `dvc add` again") from None
        if md5.endswith(".dir"):
            raise CouldNotEvaluate(f"{place} pins a folder; a golden set is one Parquet or CSV file")
        if not re.fullmatch(r"[0-9a-f]{32}", md5):
            raise CouldNotEvaluate(f"{place} is not a DVC pointer with an md5: run `dvc add` again")
        commit, remark = _in_git(place)
        return Pointer(self.file, md5, size, commit, remark)

    def ensure(self, pointer: Pointer) -> None:
        """Pull the file when it is absent. Raises CouldNotEvaluate when it cannot be had."""
        if self.file.exists():
            return
        os.environ.setdefault("DVC_NO_ANALYTICS", "1")
        try:
            from dvc.repo import Repo
        except ImportError:
            raise CouldNotEvaluate(
                f"{self.file} is not here and DVC, which could pull it, is not installed: "
                'pip install "pytest-mlgates[golden]"'
            ) from None
        try:
            with _quiet(), Repo(str(self._root())) as repo:
                # Targets are resolved against the current directory, hence the absolute path.
                repo.pull(targets=[str(self._pointer_file.resolve())])
        except Exception as problem:  # noqa: BLE001 - the adapter's edge: DVC raises one error for several troubles
            first = (str(problem).strip().splitlines() or [""])[0]
            raise CouldNotEvaluate(
                f"{self.file} is not here and could not be pulled by DVC ({type(problem).__name__}: {first}): "
                "the remote is gone, lacks it, or refuses access; try `dvc pull` by hand"
            ) from None
        if not self.file.is_file():
            raise CouldNotEvaluate(f"DVC pulled without an error, but {self.file} is still not here")

    def _root(self) -> Path:
        for folder in self.file.resolve().parents:
            if (folder / ".dvc").is_dir():
                return folder
        raise CouldNotEvaluate(f"{self.file} is not here and lies in no DVC repository that could pull it")


def _in_git(file: Path) -> tuple[str, str]:
    """(commit that last changed the pointer, remark when the pointer is not exactly as committed)."""
    folder = file.parent
    try:
        done = git(folder, "status", "--porcelain=v2", "--", file.name)
    except CouldNotEvaluate:
        return "", "git did not answer, so it is unknown whether the pointer is committed"
    if done.returncode:
        return "", "the pointer is not in a git repository"
    commit = (answer(folder, "log", "-1", "--format=%H", "--", file.name) or "").strip()
    if not commit or done.stdout.startswith("?"):
        return "", "the pointer is not committed"
    return commit, "the pointer differs from the committed one" if done.stdout else ""


@contextlib.contextmanager
def _quiet():  # type: ignore[no-untyped-def]
    """DVC draws progress bars and logs; the gate has its own output."""
    logger = logging.getLogger("dvc")
    level, logger.level = logger.level, logging.CRITICAL
    try:
        with open(os.devnull, "w") as sink, contextlib.redirect_stderr(sink), contextlib.redirect_stdout(sink):  # noqa: PTH123
            yield
    finally:
        logger.level = level
