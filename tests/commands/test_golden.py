"""`mlgates golden` shows the set, and `mlgates golden freeze` writes its contract once."""

from __future__ import annotations

import datetime
import hashlib
import subprocess
from pathlib import Path

import pytest

from tests.commands.shell import mlgates

DAY = datetime.datetime.now(datetime.UTC).replace(hour=0, minute=0, second=1) - datetime.timedelta(days=40)


def git(folder: Path, *words: str, day: datetime.datetime = DAY) -> str:
    who = ["-c", "user.name=n", "-c", "user.email=e@example.invalid", "-c", "commit.gpgSign=false"]
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_COMMITTER_DATE": day.isoformat(), "HOME": str(folder)}
    done = subprocess.run(
        ["git", *who, *words], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def pin(folder: Path, rows: int) -> str:
    """A golden set of so many rows, every fourth positive, with its pointer; its md5."""
    lines = [f"{i},{i % 7},{int(i % 4 == 0)}" for i in range(rows)]
    data = "\n".join(["a,b,y", *lines, ""]).encode()
    (folder / "golden.csv").write_bytes(data)
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    (folder / "golden.csv.dvc").write_text(f"outs:\n- md5: {md5}\n  hash: md5\n  path: golden.csv\n")
    return md5


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    settings = ["[tool.mlgates]", 'model = "m"', 'golden = "golden.csv"', 'label = "y"', 'task = "binary"', ""]
    (tmp_path / "pyproject.toml").write_text("\n".join(settings))
    pin(tmp_path, 400)
    return tmp_path


def test_a_set_in_no_repository_and_without_a_contract(folder: Path) -> None:
    md5 = pin(folder, 400)
    done = mlgates(folder, "golden")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "golden set  golden.csv: 400 rows, 2 features\n"
        f"version     {md5} (the pointer is not in a git repository)\n"
        "age         the pointer's present version is not committed to git, so its age is unknown: commit it\n"
        "classes     0: 300 (75.0%), 1: 100 (25.0%)\n"
        "            100 rows of the rarest class: 200 are needed for a margin worth having, 1,000 are better\n"
        "resolves    0.0304 ROC AUC at 80 % power, for models of AUC 0.8 whose scores correlate by 0.9\n"
        'budget      unknown: no registry: write registry = "sqlite:///mlflow.db" or set MLFLOW_TRACKING_URI\n'
        "contract    none: `mlgates golden freeze` writes one\n"
        "history     not in git\n"
    )


def test_versions_age_and_contract(folder: Path) -> None:
    git(folder, "init", "--quiet")
    older = pin(folder, 400)
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "first rows", day=DAY - datetime.timedelta(days=100))
    first = git(folder, "rev-parse", "--short=7", "HEAD")
    newer = pin(folder, 8000)
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "refreshed")
    second = git(folder, "rev-parse", "--short=7", "HEAD")
    assert mlgates(folder, "golden", "freeze").returncode == 0
    done = mlgates(folder, "golden")
    assert done.stdout.splitlines() == [
        "golden set  golden.csv: 8,000 rows, 2 features",
        f"version     {newer}",
        f"age         40 days: pinned on {DAY.date()} in {second}, less than 90 days ago",
        "classes     0: 6,000 (75.0%), 1: 2,000 (25.0%)",
        "resolves    0.0068 ROC AUC at 80 % power, for models of AUC 0.8 whose scores correlate by 0.9",
        'budget      unknown: no registry: write registry = "sqlite:///mlflow.db" or set MLFLOW_TRACKING_URI',
        "contract    golden.contract.json",
        "history",
        f"  {DAY.date()}  {second}  {newer[:8]}  refreshed",
        f"  {(DAY - datetime.timedelta(days=100)).date()}  {first}  {older[:8]}  first rows",
    ]


def test_freeze_writes_the_contract_and_never_writes_over_one(folder: Path) -> None:
    file, md5 = folder / "golden.contract.json", pin(folder, 400)
    done = mlgates(folder, "golden", "freeze")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"wrote {file}: 2 columns of version {md5[:8]}\nlook at it, then commit it\n"
    assert file.read_text() == (
        "{\n"
        ' "version": 1,\n'
        f' "golden": "{md5}",\n'
        ' "label": [0, 1],\n'
        ' "columns": {\n'
        '  "a": {"kind": "integer", "nulls": 0.0, "low": 0.0, "high": 399.0},\n'
        '  "b": {"kind": "integer", "nulls": 0.0, "values": [0, 1, 2, 3, 4, 5, 6]}\n'
        " }\n"
        "}\n"
    )
    file.write_text("mine")
    again = mlgates(folder, "golden", "freeze")
    assert (again.returncode, again.stdout, file.read_text()) == (2, "", "mine")
    assert again.stderr == (
        f"mlgates golden: {file} exists already: edit it there, or replace it with --force; nothing was changed\n"
    )
    assert mlgates(folder, "golden", "freeze", "--force").returncode == 0
    assert file.read_text() != "mine"


def test_a_contract_in_yaml_is_not_replaced_by_another_format(folder: Path) -> None:
    (folder / "golden.contract.yaml").write_text("version: 1\n")
    done = mlgates(folder, "golden", "freeze", "--force")
    assert done.returncode == 2
    assert "is YAML, which is not written here" in done.stderr
    assert not (folder / "golden.contract.json").exists()


@pytest.mark.parametrize("part", [[], ["freeze"]])
def test_a_set_that_is_not_the_pinned_one_is_neither_shown_nor_frozen(folder: Path, part: list[str]) -> None:
    with (folder / "golden.csv").open("a") as stream:
        stream.write("1,1,1\n")
    done = mlgates(folder, "golden", *part)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is not the file its pointer pins" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (folder / "golden.contract.json").exists()


def test_without_settings_the_fix_is_said(tmp_path: Path) -> None:
    done = mlgates(tmp_path, "golden")
    assert done.returncode == 2
    assert done.stderr.startswith(f"mlgates golden: no settings found in {tmp_path} or above: write [tool.mlgates]")
