"""The gate `skew` in a whole run: what the model receives live against what it was taught on."""

from __future__ import annotations

import contextlib
import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from mlflow.tracking._tracking_service import utils

from mlrepo import BETTER, Repo
from pytest_mlgates.cli import main

SKEW = "[tool.mlgates.skew]\n"
FEATURES = ("x1", "x2", "x3", "x4")
Rows = dict[str, list[object]]


def people(rows: int, seed: int) -> Rows:
    rng = np.random.default_rng(seed)
    return {"id": list(range(seed * 10_000, seed * 10_000 + rows))} | {
        name: np.round(rng.normal(size=rows), 6).tolist() for name in FEATURES
    }


def save(repo: Repo, name: str, rows: Rows) -> Path:
    file = repo.path / name
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(rows)
        writer.writerows(zip(*rows.values(), strict=True))
    return file


def sample(repo: Repo, change: Callable[[Rows], object] = lambda rows: None, rows: int = 2_000) -> None:
    """The live sample: like the training data, but for `change`."""
    live = people(rows, 2)
    change(live)
    save(repo, "live.csv", live)


@pytest.fixture
def own(repo: Repo) -> Repo:
    """All tests' databases name the same folder for artifacts; what is kept with a run here must be this test's.

    MLflow remembers where the artifacts of a run are, for as long as the process lives.
    """
    utils._artifact_repos_cache.clear()
    with contextlib.closing(repo.database()) as database, database:
        database.execute("update runs set artifact_uri = ?", (f"file://{repo.path}/kept",))
    return repo


@pytest.fixture
def asks(own: Repo) -> Repo:
    """The gate is asked for, and a baseline of the training data is kept with the challenger's run."""
    repo = own
    repo.settings(SKEW + 'sample = "live.csv"', gates=["default", "skew"])
    save(repo, "train.csv", people(5_000, 1))
    assert main(["baseline", "train.csv", "--version", BETTER]) == 0
    sample(repo)
    return repo


def sentences(repo: Repo) -> list[str]:
    gate = next(gate for gate in repo.evidence()["gates"] if gate["name"] == "skew")
    return [judgement["sentence"] for judgement in gate["judgements"]]


def test_a_sample_like_the_training_data_passes(asks: Repo, spread: list[str]) -> None:
    run = asks.run(*spread)
    assert run.ret == 0, run.text
    (said,) = sentences(asks)
    assert said.startswith("largest psi [x")
    assert said.endswith(f"proven <= 0.2; 4 features against {asks.path}/train.csv (5,000 rows)")
    assert "skew largest psi [x" in run.text
    asks.on_page("skew", "passing")


def test_what_moved_is_named_and_how(asks: Repo, spread: list[str]) -> None:
    def broken(rows: Rows) -> None:
        rows["x1"] = [0.0] * 2_000
        rows["x2"] = [None if k % 3 == 0 else x for k, x in enumerate(rows["x2"])]
        rows["x3"] = [float(str(x)) + 0.55 for x in rows["x3"]]

    sample(asks, broken)
    run = asks.run(*spread)
    assert run.ret == 1
    said = sentences(asks)
    assert said[0].startswith("sudden [x1]: every value is 0; in training at most 1.00% were (psi [x1] ")
    assert said[1].startswith("sudden [x2]: 33.4% of the values are null, none in training (psi [x2] ")
    assert said[2].startswith("gradual: psi [x3] 0.")
    assert said[3].startswith("largest psi [x1] ")
    assert len(said) == 4
    assert f"HOLD credit v{BETTER}: skew" in run.text
    asks.on_page("skew", "failing")


def test_it_does_not_run_unless_asked_for(repo: Repo) -> None:
    assert repo.run().ret == 0
    assert "skew" not in repo.verdicts()


class TestBaseline:
    def test_without_one_it_is_an_error_with_the_fix(self, own: Repo) -> None:
        sample(own)
        own.settings(SKEW + 'sample = "live.csv"', gates=["default", "skew"])
        assert own.run().ret == 10
        assert own.said_of("skew") == (
            "ERROR",
            f"no baseline is kept with the run of credit v{BETTER}: run `mlgates baseline TRAINING_FILE --version "
            "NUMBER`, or call log_baseline() where it is trained",
        )

    def test_the_settings_may_name_a_file(self, asks: Repo) -> None:
        assert main(["baseline", "train.csv"]) == 0
        asks.settings(SKEW + 'sample = "live.csv"\nbaseline = "baseline.json"')
        assert asks.run().ret == 0
        (asks.path / "baseline.json").unlink()
        assert asks.run().ret == 10
        assert asks.said_of("skew") == (
            "ERROR",
            f"the baseline {asks.path}/baseline.json cannot be read: No such file or directory",
        )

    def test_or_the_rows_themselves(self, asks: Repo) -> None:
        asks.settings(SKEW + 'sample = "live.csv"\nbaseline = "golden.csv"\nignore = ["y"]')
        assert asks.run().ret == 0
        assert "4 features against" in sentences(asks)[0]

    def test_a_newer_one_is_an_error(self, asks: Repo) -> None:
        file = asks.path / "new.json"
        file.write_text(json.dumps({"mlgates_baseline": 2, "columns": {}}))
        asks.settings(SKEW + 'sample = "live.csv"\nbaseline = "new.json"')
        assert asks.run().ret == 10
        verdict, said = asks.said_of("skew")
        assert verdict == "ERROR"
        assert "was made by a newer version of pytest-mlgates" in said

    def test_one_that_training_logged_is_found(self, asks: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
        import mlflow
        import pandas as pd

        from pytest_mlgates import log_baseline

        monkeypatch.setattr(mlflow, "get_tracking_uri", lambda: f"sqlite:///{asks.path}/mlflow.db")
        uri = f"sqlite:///{asks.path}/mlflow.db"
        monkeypatch.setattr(mlflow, "MlflowClient", lambda: mlflow.tracking.MlflowClient(uri))
        run = mlflow.MlflowClient().get_model_version("credit", BETTER).run_id
        rows = pd.DataFrame(people(1_000, 5)).assign(y=1)
        made = log_baseline(rows, run_id=run, without=["y", "id"], importances={"x1": 1.0})
        assert set(made.columns) == set(FEATURES)
        asks.settings(SKEW + 'sample = "live.csv"\ntop = 1')
        assert asks.run().ret == 0
        assert "3 below the top 1 by importance are reported only" in sentences(asks)[0]


class TestSample:
    def test_must_be_named(self, asks: Repo) -> None:
        asks.settings("", gates=["default", "skew"])
        assert asks.run().ret == 10
        assert asks.said_of("skew")[1].startswith('[tool.mlgates.skew] needs sample = "data/live.parquet"')

    def test_must_be_there(self, asks: Repo) -> None:
        (asks.path / "live.csv").unlink()
        assert asks.run().ret == 10
        assert asks.said_of("skew") == ("ERROR", f"the live sample {asks.path}/live.csv does not exist")

    def test_must_have_rows(self, asks: Repo) -> None:
        sample(asks, rows=0)
        assert asks.run().ret == 10
        assert asks.said_of("skew")[1].startswith("the live sample ")

    def test_of_few_rows_proves_nothing(self, asks: Repo) -> None:
        sample(asks, rows=40)
        assert asks.run().ret == 10
        assert asks.said_of("skew")[0] == "INCONCLUSIVE"


class TestScores:
    def logged(self, repo: Repo, change: Callable[[float], float] = lambda score: score) -> None:
        """What the champion says of each row, as a serving log has it."""

        def scored(rows: Rows) -> None:
            linear = zip(rows["x1"], rows["x2"], strict=True)
            rows["score"] = [change(1 / (1 + np.exp(-float(str(a)) - 0.6 * float(str(b))))) for a, b in linear]

        sample(repo, scored)
        repo.settings(SKEW + 'sample = "live.csv"\nscore = "score"')

    def test_as_on_the_golden_set_pass(self, asks: Repo) -> None:
        self.logged(asks)
        assert asks.run().ret == 0
        assert sentences(asks)[1].startswith("score psi [logged as score] ")

    def test_that_moved_fail(self, asks: Repo) -> None:
        self.logged(asks, lambda score: score**3)
        assert asks.run().ret == 1
        assert sentences(asks)[1].startswith("score psi [logged as score] ")

    def test_below_nought_are_no_probabilities(self, asks: Repo) -> None:
        self.logged(asks, lambda score: score - 0.5)
        assert asks.run().ret == 10
        verdict, said = asks.said_of("skew")
        assert verdict == "ERROR"
        assert "column 'score' of " in said
        assert said.endswith(", which are no probabilities")

    def test_of_a_column_that_is_not_there(self, asks: Repo) -> None:
        asks.settings(SKEW + 'sample = "live.csv"\nscore = "scores"')
        assert asks.run().ret == 10
        assert "has no column 'scores' of scores" in asks.said_of("skew")[1]

    def test_the_challenger_is_asked_about_live_rows(self, asks: Repo) -> None:
        asks.settings(SKEW + 'sample = "live.csv"\nrescored = 1000\npsi = 0.3')
        assert asks.run().ret == 0
        assert sentences(asks)[1].startswith("score psi [challenger, asked again] ")


def test_a_policy_that_is_wrong_is_a_usage_error(asks: Repo) -> None:
    asks.settings(SKEW + 'engine = "pandas"')
    run = asks.run()
    assert run.ret == 4
    assert "skew.engine in pyproject.toml [tool.mlgates] must be one of 'arrow', 'duckdb' or 'spark'" in run.text
