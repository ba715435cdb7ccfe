"""A small ML repository with a registry, as the fixture `repo` hands it out."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import sqlite3
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

MODEL = "credit"
#: What build_template.py registers, by number.
CHAMPION, BETTER, WORSE, COPY, BARELY, RAISES, NAN, SHORT, LABELS, DIES, EXITS, HANGS = map(str, range(1, 13))

DEFAULTS = {
    "model": MODEL,
    "golden": "golden.csv",
    "label": "y",
    "task": "binary",
    "registry": "sqlite:///mlflow.db",
    "ignore": ["id"],
    "group": "site",
    "gates": ["core"],
}
CORE = ("golden_integrity", "is_new", "golden_regression", "bootstrap_auc")
#: Other people's plugins, which cost each run more than a second.
_OTHERS = ("benchmark", "anyio", "hydra_pytest", "hypothesispytest", "locust")
ALONE = [part for name in _OTHERS for part in ("-p", f"no:{name}")]
N2 = ["-n", "2"]


@dataclass(frozen=True)
class Run:
    """A finished run: `ret` its exit code, `text` everything it said, with every run of blanks one blank."""

    ret: int
    lines: str

    @property
    def text(self) -> str:
        return " ".join(self.lines.split())


@dataclass
class Repo:
    """One test's repository: settings, gates of its own, runs, and what the registry says afterwards."""

    path: Path
    pytester: pytest.Pytester
    keys: dict[str, Any] = field(default_factory=lambda: dict(DEFAULTS))

    def settings(self, more: str = "", **keys: Any) -> None:
        """Change settings (None removes one); `more` is further TOML, e.g. a table of waivers."""
        self.keys |= keys
        lines = [f"{key} = {json.dumps(value)}" for key, value in self.keys.items() if value is not None]
        self.write("pyproject.toml", "\n".join(["[tool.mlgates]", *lines, textwrap.dedent(more), ""]))

    def gates(self, source: str, *names: str, before: str = "") -> None:
        """Gates of the user's own in checks/test_own.py; `names` are required beside the core."""
        head = (
            "import os, signal, pytest\n"
            "from pytest_mlgates import Evidence, Interval, Finding, Verdict, at_least, at_most\n"
            "def good(): return Evidence('answer', 42, n=7), at_least(40)\n"
        )
        self.write("checks/test_own.py", head + before + textwrap.dedent(source))
        self.settings(paths=["checks"], gates=["core", *names])

    def write(self, name: str, text: str) -> Path:
        file = self.path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(textwrap.dedent(text))
        return file

    def forget(self) -> None:
        """Delete the cached answers."""
        shutil.rmtree(self.path / ".mlgates" / "cache", ignore_errors=True)

    def rewrite_golden(self, change: Any) -> None:
        """Change the golden set by `change(lines)` and pin it anew, as `dvc add` would."""
        file = self.path / "golden.csv"
        file.write_text("\n".join(change(file.read_text().splitlines())) + "\n")
        pin(file)

    def run(self, *args: str) -> Run:
        """`pytest --mlgate ARGS` in this process, or in processes of its own with -n."""
        result = self.pytester.runpytest_inprocess(*ALONE, "--mlgate", *args, no_reraise_ctrlc=True)
        return self._ran(result)

    def run_n2(self, *args: str) -> Run:
        return self.run(*N2, *args)

    def run_apart(self, *args: str, mlgate: bool = True) -> Run:
        """The same in a process of its own, with the exit code that a shell would see."""
        flag = ["--mlgate"] if mlgate else []
        result = self.pytester.runpytest_subprocess(*ALONE, *flag, *args, timeout=40)
        return self._ran(result)

    def answers(self, champion: Any, challenger: Any, classes: tuple[Any, ...] = (), method: str = "auto") -> None:
        """Put answers where the product keeps them: each is called with `golden_set.y`; no model is started."""
        from pytest_mlgates.doors.outside import open_doors, registry_uri
        from pytest_mlgates.golden import read_golden
        from pytest_mlgates.model import Scoring
        from pytest_mlgates.pins import _pinned
        from pytest_mlgates.ports import Answer
        from pytest_mlgates.settings import load

        settings = load(self.path, {}, {})
        registry = open_doors(settings, registry_uri(settings, {})).registry
        roles = {"champion": (CHAMPION, champion), "challenger": (BETTER, challenger)}
        pinned = {role: _pinned(registry, registry.find(number), number) for role, (number, _) in roles.items()}
        pointer = (self.path / "golden.csv.dvc").read_text().split()
        golden = read_golden(settings, pointer[pointer.index("md5:") + 1])
        scoring = Scoring(settings, pinned, lambda: pytest.fail("no model is started"), lambda: golden)
        for role, (_, answer) in roles.items():
            kept = Answer(answer(golden.y), method, "sklearn", classes)
            scoring._cache.store(scoring._key(role, "auto", golden), kept)

    def _ran(self, result: pytest.RunResult) -> Run:
        """The folder is left out: its name is the test's, and would answer for what the product must say."""
        return Run(int(result.ret), f"{result.stdout.str()}\n{result.stderr.str()}".replace(str(self.path), "REPO"))

    def apply(self, *args: str) -> Run:
        return self.run("--mlgate-apply", *args)

    def evidence(self) -> dict[str, Any]:
        return json.loads((self.path / ".mlgates" / "report" / "evidence.json").read_text())

    def said_of(self, name: str) -> tuple[str, str]:
        """(verdict, sentence) of one gate in the evidence."""
        gate = next(gate for gate in self.evidence()["gates"] if gate["name"] == name)
        return gate["verdict"], gate["sentence"]

    def on_page(self, name: str, part: str, *, exact: bool = True) -> None:
        """The page of gate `name` shows what it just said, as ``passing`` or ``failing``; `exact` with its figures."""
        from gate_page import held

        held(next(gate for gate in self.evidence()["gates"] if gate["name"] == name), part, self.path, exact=exact)

    def interval(self, name: str) -> str:
        """The interval of a gate's first judgement, as people see it."""
        gate = next(gate for gate in self.evidence()["gates"] if gate["name"] == name)
        ends = gate["judgements"][0]["evidence"]["interval"]
        return f"[{ends['low']:+.4f}, {ends['high']:+.4f}]"

    def verdicts(self) -> dict[str, str]:
        return {gate["name"]: gate["verdict"] for gate in self.evidence()["gates"]}

    # The registry, read behind MLflow's back: nothing here can be fooled by a client's cache.

    def aliases(self) -> dict[str, str]:
        return {
            alias: str(version)
            for alias, version in self._rows(f"select alias, version from ? where name = '{MODEL}'", ALIASES)
        }

    def champion(self) -> str:
        return self.aliases().get("champion", "none")

    def tags(self, version: str) -> dict[str, str]:
        where = f" where name = '{MODEL}' and version = {version}"
        return dict(self._rows(f"select key, value from ? {where}", "model_version_tags"))

    def stages(self) -> dict[str, str]:
        rows = self._rows(f"select version, current_stage from ? where name = '{MODEL}'", "model_versions")
        return {str(v): stage for v, stage in rows}

    def point(self, alias: str, version: str | None) -> None:
        """Move an alias by hand (None deletes it)."""
        with contextlib.closing(self.database()) as db, db:
            db.execute(f"delete from {ALIASES} where name = ? and alias = ?", (MODEL, alias))
            if version is not None:
                db.execute(f"insert into {ALIASES} (name, alias, version) values (?, ?, ?)", (MODEL, alias, version))

    def database(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path / "mlflow.db", timeout=0.1)

    def _rows(self, query: str, table: str) -> list[Any]:
        with contextlib.closing(self.database()) as db:
            return db.execute(query.replace("?", table)).fetchall()


ALIASES = "registered_model_aliases"
#: In a user's gate: the alias is moved while the gates run, as another pipeline would.
MOVES_THE_ALIAS = """
def move(alias, version):
    import sqlite3
    with sqlite3.connect("mlflow.db") as db:
        db.execute("delete from registered_model_aliases where alias = ?", (alias,))
        db.execute("insert into registered_model_aliases (name, alias, version) "
                   "values ('credit', ?, ?)", (alias, version))
"""


def pin(file: Path) -> None:
    """The pointer that `dvc add` would write."""
    md5 = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
    lines = ["outs:", f"- md5: {md5}", f"  size: {file.stat().st_size}", "  hash: md5", f"  path: {file.name}", ""]
    file.with_name(f"{file.name}.dvc").write_text("\n".join(lines))
