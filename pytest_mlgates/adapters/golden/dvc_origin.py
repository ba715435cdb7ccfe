"""Which bytes DVC pins for a file of training data, and where it keeps them. Reads two small files; needs no DVC."""

from __future__ import annotations

import configparser
import hashlib
from pathlib import Path

from pytest_mlgates.adapters.golden.git_history import pinned_by
from pytest_mlgates.adapters.mlflow.client import without_secrets
from pytest_mlgates.errors import UsageError


def pinned(data: Path) -> str:
    """The md5 in the pointer beside `data`; a file that is here must have it (a folder is not hashed again).

    Raises UsageError when there is no such pointer, or the file is another one.
    """
    place = data.with_name(data.name + ".dvc")
    try:
        md5 = pinned_by(place.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        md5 = ""
    if not md5:
        raise UsageError(f"{place} is no DVC pointer with an md5: run `dvc add {data.name}` in {data.parent}")
    if data.is_file():
        with data.open("rb") as stream:
            found = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        if found != md5:
            raise UsageError(
                f"{data} is not the file its pointer pins: its md5 is {found}, the pointer says {md5}; run `dvc add` "
                "and commit the pointer, then train again"
            )
    return md5


def remote(root: Path, data: Path) -> str:
    """The URL of the default remote of the DVC repository that `data` lies in, without secrets.

    `root` is where the search upwards ends. Raises UsageError when no default remote is set.
    """
    folder = next((f for f in data.parents if (f / ".dvc").is_dir() and f.is_relative_to(root)), root)
    config = configparser.ConfigParser(interpolation=None)
    try:
        config.read([folder / ".dvc" / "config", folder / ".dvc" / "config.local"], encoding="utf-8")
        name = config["core"]["remote"]
        return without_secrets(config[f"'remote \"{name}\"'"]["url"])
    except (KeyError, configparser.Error, UnicodeDecodeError):
        raise UsageError(
            f"{folder / '.dvc' / 'config'} names no default remote, so nobody else can get {data.name}: "
            "run `dvc remote add --default NAME URL` and `dvc push`"
        ) from None
