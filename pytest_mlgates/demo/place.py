"""The directory the demo is built in: only an empty one is taken, and only a finished demo stays in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_mlgates.demo.errors import DemoError

#: Lies in the directory while it is being built. Only a build that was killed outright leaves it behind.
MARK = ".mlgates-demo-unfinished"


@contextmanager
def building(directory: Path) -> Iterator[Path]:
    """The resolved directory, made if need be; when the block fails, all that it made is removed again.

    Raises DemoError when the directory is a file, is not empty, or holds an unfinished demo.
    """
    root = resolved(directory)
    _refuse_if_taken(root)
    made = [path for path in (root, *root.parents) if not path.exists()]
    try:
        root.mkdir(parents=True, exist_ok=True)
        _mark(root)
        try:
            yield root
        except BaseException:
            _empty(root)
            raise
        (root / MARK).unlink()
    except BaseException:
        for path in made:
            if path.exists() and not any(path.iterdir()):
                path.rmdir()
        raise


def resolved(directory: Path) -> Path:
    return directory.expanduser().resolve()


def _refuse_if_taken(root: Path) -> None:
    if root.exists() and not root.is_dir():
        raise DemoError(f"{root} is a file: name a directory that is empty or does not exist yet")
    if (root / MARK).exists():
        raise DemoError(_unfinished(root))
    if root.exists() and any(root.iterdir()):
        raise DemoError(f"{root} is not empty: name a directory that is empty or does not exist yet")


def _mark(root: Path) -> None:
    try:
        (root / MARK).touch(exist_ok=False)
    except FileExistsError:
        raise DemoError(_unfinished(root)) from None


def _unfinished(root: Path) -> str:
    return f"{root} holds an unfinished demo: remove that directory (unless one is being built there now)"


def _empty(root: Path) -> None:
    """Remove everything, the mark last: a removal cut short stays recognisable."""
    for path in sorted(root.iterdir(), key=lambda path: path.name == MARK):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
