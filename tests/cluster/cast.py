"""Who plays in a drill beside the cluster: a registry in a file, a scorer that knows its answers, golden rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.policy import RollbackDrill
from pytest_mlgates.ports import Answer, Cluster, Version
from pytest_mlgates.rollout.staging import Outside
from pytest_mlgates.settings import Settings

MODEL = "tiny"
VERSIONS = ("1", "2", "3")
POLICY = RollbackDrill(repeats=1, rate=50.0, rows=6)


class FileRegistry:
    """Aliases in a JSON file, so that they outlive the process that moved them."""

    def __init__(self, file: Path) -> None:
        self.file = file

    @property
    def aliases(self) -> dict[str, str]:
        return dict(json.loads(self.file.read_text()))

    def _write(self, aliases: dict[str, str]) -> None:
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps(aliases))
        new.replace(self.file)

    def find(self, reference: str) -> Version | None:
        number = self.aliases.get(reference, reference)
        return Version(MODEL, number, run_id=f"run-{number}") if number in VERSIONS else None

    def references(self) -> list[str]:
        return [*self.aliases, *VERSIONS]

    def files(self, version: Version) -> Path:
        return Path(version.number)

    def point(self, alias: str, version: Version) -> None:
        self._write(self.aliases | {alias: version.number})

    def unpoint(self, alias: str) -> None:
        self._write({name: number for name, number in self.aliases.items() if name != alias})


@dataclass
class Knowing:
    """Answers as tiny_pod does: the sum of the row and the number of the version."""

    number: int = 0
    rows: Any = None

    def open(self, files: Path, name: str, version: Version | None = None) -> Knowing:
        return Knowing(int(str(files)))

    def start(self, method: str, rows: Any) -> None:
        self.rows = rows

    def answer(self) -> Answer:
        return Answer(self.rows.to_numpy().sum(axis=1) + self.number, "predict", "tiny")

    def close(self) -> None:
        pass


def golden() -> GoldenSet:
    frame = pd.DataFrame({"a": np.arange(12.0), "b": np.arange(12.0) / 4})
    return GoldenSet(frame, np.arange(12) % 2, frame[[]], None, None, "0" * 32, Path("golden.csv"))


def settings(**keys: Any) -> Settings:
    told = {"model": MODEL, "golden": "g.csv", "label": "y", "task": "binary", "cluster": {"rollout_s": 15.0}}
    return Settings.model_validate({**told, **keys})


def outside(cluster: Cluster, registry: Any, **keys: Any) -> Outside:
    return Outside(cluster, registry, Knowing, settings(**keys))  # type: ignore[arg-type]


def quiet(_: str) -> None:
    pass


def counted(one: Any, before: Callable[[str], None]) -> Any:
    """`one`, with `before` called by name before and after each of its methods that can change anything."""
    changing = {"deploy", "undo", "settle", "leave", "clean", "remove", "point", "unpoint"}

    class Counted:
        def __getattr__(self, name: str) -> Any:
            found = getattr(one, name)
            if name not in changing:
                return found

            def call(*args: Any, **words: Any) -> Any:
                before(f"before {name}")
                answer = found(*args, **words)
                before(f"after {name}")
                return answer

            return call

    return Counted()
