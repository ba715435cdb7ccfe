"""What lies in the repository: golden set candidates, a registry's database, a lock file."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from pytest_mlgates.adoption.guess import Guess, listed

_TABLES = (".parquet", ".pq", ".csv")
#: What people call rows that no training sees, the surest first.
_HELD_OUT = ("golden", "gold", "holdout", "heldout", "reference", "test", "eval", "validation")
_NOT = {"train", "training", "trained", "prediction", "predictions", "submission"}
_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "conda-lock.yml", "requirements.lock")
_DEEPEST = 4
_PASSED_BY = {"node_modules", "venv", "site-packages", "__pycache__", "mlruns", "mlartifacts", "build", "dist"}


def golden(root: Path) -> Guess:
    """The one Parquet or CSV file named like a golden set; a pinned one before a plain one."""
    found: dict[str, bool] = {}
    for file in _walk(root):
        pinned = file.suffix == ".dvc"
        data = file.with_suffix("") if pinned else file
        if data.suffix in _TABLES:
            name = data.relative_to(root).as_posix()
            found[name] = found.get(name, False) or pinned
    ranked = sorted((_rank(name), not pinned, name) for name, pinned in found.items() if _rank(name) is not None)
    if not ranked:
        had = f"of {listed(sorted(found))} none is" if found else "there is no Parquet or CSV file"
        return Guess(why=f"{had} named like rows that no training sees (golden, holdout, test)")
    best = [name for rank, plain, name in ranked if (rank, plain) == ranked[0][:2]]
    if len(best) > 1:
        return Guess(why=f"there are {listed(best)}")
    return Guess(best[0], "pinned by DVC" if found[best[0]] else "named like rows that no training sees")


def registry(root: Path) -> Guess:
    """The one sqlite database of an MLflow registry in the repository."""
    found = [file for file in _walk(root) if file.suffix in (".db", ".sqlite", ".sqlite3") and _is_registry(file)]
    if len(found) == 1:
        return Guess(f"sqlite:///{found[0].relative_to(root).as_posix()}", "a file with registered models")
    if found:
        return Guess(why=f"there are {listed(file.relative_to(root) for file in found)}")
    kept = " (the folder mlruns is no registry that a promotion can rely on)" if (root / "mlruns").is_dir() else ""
    return Guess(why=f"MLFLOW_TRACKING_URI is not set and no file here is an MLflow database{kept}")


def lock(root: Path) -> Guess:
    """The lock file beside the settings."""
    name = next((name for name in _LOCKS if (root / name).is_file()), None)
    return Guess(name, "the lock file here") if name else Guess(why=f"none of {', '.join(_LOCKS)} is here")


def _rank(name: str) -> int | None:
    plain = name.lower().replace("hold-out", "holdout").replace("held-out", "heldout")
    words = set(re.split(r"[^a-z]+", plain))
    if words & _NOT:
        return None
    return next((place for place, word in enumerate(_HELD_OUT) if word in words), None)


def _is_registry(file: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            return bool(database.execute("select 1 from sqlite_master where name = 'registered_models'").fetchall())
    except sqlite3.Error:
        return False


def _walk(folder: Path, depth: int = _DEEPEST) -> Iterator[Path]:
    """Files that are neither hidden nor somebody else's, in order; links are not followed."""
    try:
        inside = sorted(folder.iterdir())
    except OSError:
        return
    for path in inside:
        if path.name.startswith(".") or path.name in _PASSED_BY or path.is_symlink():
            continue
        if path.is_dir():
            if depth and not (path / "pyvenv.cfg").is_file():
                yield from _walk(path, depth - 1)
        else:
            yield path
