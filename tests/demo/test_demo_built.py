"""The finished demo: what the newcomer's repository really holds."""

from __future__ import annotations

import hashlib
import subprocess
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import mlflow
import pandas as pd
import pytest
import yaml
from mlflow.entities.model_registry import ModelVersion

from pytest_mlgates import fingerprint
from pytest_mlgates.demo import next_steps
from pytest_mlgates.demo.data import SURVEY
from pytest_mlgates.origin import environment


@pytest.fixture(scope="module")
def registry(demo: Path) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(f"sqlite:///{demo / 'mlflow.db'}")


def git(root: Path, *words: str) -> str:
    return subprocess.check_output(["git", *words], cwd=root, text=True).strip()


def pointer(root: Path, name: str) -> dict[str, Any]:
    out: dict[str, Any] = yaml.safe_load((root / "data" / f"{name}.parquet.dvc").read_text())["outs"][0]
    return out


def version(registry: mlflow.MlflowClient, number: str) -> ModelVersion:
    return registry.get_model_version("employment", number)


@pytest.mark.parametrize(("alias", "number"), [("champion", "1"), ("challenger", "2")])
def test_aliases(registry: mlflow.MlflowClient, alias: str, number: str) -> None:
    assert str(registry.get_model_version_by_alias("employment", alias).version) == number


def test_three_versions_the_third_without_alias(registry: mlflow.MlflowClient) -> None:
    found = registry.search_model_versions("name='employment'")
    assert sorted(str(each.version) for each in found) == ["1", "2", "3"]
    assert version(registry, "3").aliases == []


@pytest.mark.parametrize("number", ["1", "2", "3"])
def test_tags_say_where_a_version_came_from(demo: Path, registry: mlflow.MlflowClient, number: str) -> None:
    made = version(registry, number)
    files = Path(unquote(urlsplit(registry.get_model_version_download_uri("employment", number)).path))
    assert made.tags == {
        "mlgates.run_id": made.run_id,
        "mlgates.git_commit": git(demo, "rev-parse", "HEAD"),
        "mlgates.git_tree": "clean",
        "mlgates.data": "data/train.parquet",
        "mlgates.data_md5": pointer(demo, "train")["md5"],
        "mlgates.data_remote": "../.dvc-remote",
        "mlgates.environment": environment.digest(),
        "mlgates.digest": fingerprint.of_folder(files),
    }
    assert registry.get_run(made.run_id).info.status == "FINISHED"


@pytest.mark.parametrize("name", ["train", "golden"])
def test_workspace_pointer_and_remote_agree(demo: Path, name: str) -> None:
    md5 = pointer(demo, name)["md5"]
    stored = demo / ".dvc-remote" / "files" / "md5" / md5[:2] / md5[2:]
    for file in (demo / "data" / f"{name}.parquet", stored):
        assert hashlib.md5(file.read_bytes()).hexdigest() == md5


def test_golden_set_is_no_link_into_the_cache(demo: Path) -> None:
    golden = demo / "data" / "golden.parquet"
    assert not golden.is_symlink()
    assert golden.stat().st_nlink == 1


def test_rows(demo: Path) -> None:
    train, golden = (pd.read_parquet(demo / "data" / f"{name}.parquet") for name in ("train", "golden"))
    assert train["year"].value_counts().to_dict() == {2015: 6000, 2016: 6000}
    assert golden["year"].value_counts().to_dict() == {2017: 5000}
    assert golden["employed"].mean() == pytest.approx(0.52, abs=0.01)
    survey = pd.read_parquet(SURVEY)
    drawn = survey[survey["year"] == 2017].head(5000).reset_index(drop=True)
    pd.testing.assert_frame_equal(golden.reset_index(drop=True), drawn)


def test_git_is_clean_on_main_and_pointers_are_committed(demo: Path) -> None:
    assert git(demo, "status", "--porcelain") == ""
    assert git(demo, "branch", "--show-current") == "main"
    tracked = git(demo, "ls-files").splitlines()
    assert {"data/golden.parquet.dvc", "data/train.parquet.dvc", "train.py", ".gitignore"} <= set(tracked)
    assert not [name for name in tracked if name.endswith(".parquet")]


def test_nothing_lies_about_and_nothing_went_to_the_shared_cache(demo: Path) -> None:
    hidden = {".dvc", ".dvc-remote", ".dvcignore", ".git", ".gitignore"}
    plain = {"README.md", "data", "manifest.yaml", "mlartifacts", "mlflow.db", "pyproject.toml", "train.py"}
    assert {path.name for path in demo.iterdir()} == hidden | plain
    assert not list(demo.parent.parent.glob("home*/shared-cache"))


def test_settings_can_be_read(demo: Path) -> None:
    settings = tomllib.loads((demo / "pyproject.toml").read_text())["tool"]["mlgates"]
    assert settings == {
        "model": "employment",
        "golden": "data/golden.parquet",
        "label": "employed",
        "task": "binary",
        "gates": "default",
        "registry": "sqlite:///mlflow.db",
        "ignore": ["id", "year"],
        "sensitive": ["SEX"],
        "golden_validity": {"training": "data/train.parquet", "identifier": "id"},
    }


def test_the_build_says_its_steps(built: Path, said: list[str]) -> None:
    assert said == [
        f"building a small ML repository in {built / 'a demo'}",
        "git: repository with settings, README and training script",
        "DVC: 12,000 training and 5,000 golden rows pinned and pushed to .dvc-remote",
        "DVC: golden set and cache deleted here, pulled again from the remote, bytes equal to the pointer's",
        "MLflow: training and registering champion, challenger, worse",
        "MLflow: employment version 1: champion, alias champion",
        "MLflow: employment version 2: challenger, alias challenger",
        "MLflow: employment version 3: worse, no alias",
    ]


def test_next_steps_start_with_a_quoted_cd(demo: Path) -> None:
    assert f"cd '{demo}'" in next_steps(demo)
