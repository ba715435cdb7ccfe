"""Training data and golden set: cut from the survey, pinned with DVC, pushed, and really pulled again."""

from __future__ import annotations

import hashlib
import io
import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import yaml

from pytest_mlgates.demo.errors import DemoError

SURVEY = Path(__file__).with_name("acs_ma_employment.parquet")
TRAIN_YEARS = (2015, 2016)
GOLDEN_YEAR = 2017
GOLDEN_ROWS = 5000
#: The cache is the demo's own, whatever the user's global DVC configuration says: one shared with other
#: projects must not be cleared here, and editing a file that is a link into the cache breaks the cache.
CONFIG = """\
[core]
    remote = local
    analytics = False
[cache]
    dir = cache
    type = "reflink,copy"
['remote "local"']
    url = ../.dvc-remote
"""


def pin(root: Path, say: Callable[[str], None]) -> None:
    """Write both files, pin and push them, lose the golden set and its cached copy, pull it from the remote.

    Raises DemoError when DVC fails or when the bytes that come back are not those that the pointer names.
    """
    train, golden = root / "data" / "train.parquet", root / "data" / "golden.parquet"
    rows = _cut(train, golden)
    with _dvc(root, init=True):
        (root / ".dvc" / "config").write_text(CONFIG)
    with _dvc(root) as repo:
        repo.add([str(train), str(golden)])
        repo.push(targets=[_pointer(train), _pointer(golden)])
    say(f"DVC: {rows[train]:,} training and {rows[golden]:,} golden rows pinned and pushed to .dvc-remote")
    golden.unlink()
    shutil.rmtree(root / ".dvc" / "cache")
    with _dvc(root) as repo:
        repo.pull(targets=[_pointer(train), _pointer(golden)])
    _verify(golden)
    say("DVC: golden set and cache deleted here, pulled again from the remote, bytes equal to the pointer's")


def _cut(train: Path, golden: Path) -> dict[Path, int]:
    """Both parts of the survey, rows as drawn; how many rows each got."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    survey = pq.read_table(SURVEY)
    parts = {
        train: survey.filter(pc.is_in(survey["year"], value_set=_like(survey["year"], TRAIN_YEARS))),
        golden: survey.filter(pc.equal(survey["year"], GOLDEN_YEAR)).slice(0, GOLDEN_ROWS),
    }
    train.parent.mkdir()
    for path, table in parts.items():
        pq.write_table(table, path)
    return {path: table.num_rows for path, table in parts.items()}


def _like(column: Any, values: tuple[int, ...]) -> Any:
    import pyarrow as pa

    return pa.array(values, type=column.type)


@contextmanager
def _dvc(root: Path, *, init: bool = False) -> Iterator[Any]:
    """DVC's own repository object, silent. Each step opens a new one: it remembers what its cache held."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    with _silent():
        try:
            with Repo.init(str(root)) if init else Repo(str(root)) as repo:
                yield repo
        except DvcException as error:
            raise DemoError(f"DVC failed in {root}: {error}") from error


@contextmanager
def _silent() -> Iterator[None]:
    """No progress bars, and no hints about commands that are carried out here."""
    log = logging.getLogger("dvc")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            yield
    finally:
        log.setLevel(level)


def _pointer(file: Path) -> str:
    # Absolute: DVC's Python interface looks for targets from the current directory.
    return f"{file}.dvc"


def _verify(file: Path) -> None:
    wanted = yaml.safe_load(Path(_pointer(file)).read_text())["outs"][0]["md5"]
    found = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
    if found != wanted:
        raise DemoError(f"{file} came back from the remote with md5 {found}, but its pointer says {wanted}")
