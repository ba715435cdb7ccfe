"""The live gates that look at rows, ages and answers: canary, staleness, score_drift, live_skew, rolling_quality."""

from __future__ import annotations

import csv
import datetime
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from liverepo import BETTER, LIVE, Repo, promote
from mlrepo import COPY, WORSE

FEATURES = ("x1", "x2", "x3", "x4")


@pytest.fixture
def serving(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """The better model has been champion for an hour."""
    promote(repo, monkeypatch)
    return repo


def tag(repo: Repo, version: str, key: str, value: str) -> None:
    with repo.database() as db:
        db.execute(
            "insert into model_version_tags (name, version, key, value) values ('credit', ?, ?, ?)",
            (version, key, value),
        )


class TestStaleness:
    @pytest.fixture(autouse=True)
    def asked(self, serving: Repo) -> None:
        serving.settings(gates_live=["staleness"])

    def trained(self, repo: Repo, days: float) -> None:
        then = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=days)
        tag(repo, BETTER, "mlgates.trained_at", then.isoformat())

    def test_a_young_model_passes(self, serving: Repo, spread: list[str]) -> None:
        self.trained(serving, 10)
        run = serving.apply(*LIVE, *spread)
        assert run.ret == 0, run.text
        assert "days since training 10" in run.text
        serving.on_page("staleness", "passing")

    def test_an_old_one_is_for_review(self, serving: Repo) -> None:
        self.trained(serving, 91)
        run = serving.apply(*LIVE)
        assert (run.ret, serving.champion()) == (1, BETTER)
        assert "REVIEW credit v2: staleness: days since training 91: proven not <= 90" in run.text
        assert "told: SEV4, the model's owner, within 8 h" in run.text
        serving.on_page("staleness", "failing")

    def test_what_nobody_knows_is_no_pass(self, serving: Repo) -> None:
        with serving.database() as db:
            db.execute("update model_versions set run_id = null")
        run = serving.apply(*LIVE)
        assert run.ret == 10 and "nobody knows when credit v2 was trained" in run.text

    @pytest.mark.parametrize(
        ("said", "why"),
        [("yesterday", "is 'yesterday': write a time in ISO 8601"), ("2999-01-01", "whose clock is wrong?")],
    )
    def test_a_time_that_cannot_be(self, serving: Repo, said: str, why: str) -> None:
        tag(serving, BETTER, "mlgates.trained_at", said)
        run = serving.apply(*LIVE)
        assert run.ret == 10 and why in run.text


class TestCanary:
    @pytest.fixture(autouse=True)
    def asked(self, serving: Repo) -> None:
        serving.settings(gates_live=["golden_integrity", "canary"])

    def test_without_a_live_endpoint_nothing_is_proven(self, serving: Repo) -> None:
        run = serving.apply(*LIVE)
        assert run.ret == 10 and "no live endpoint: write champion_url in [tool.mlgates.endpoint]" in run.text

    def test_nobody_answers(self, serving: Repo) -> None:
        serving.settings(
            "[tool.mlgates.endpoint]\nchampion_url = 'http://127.0.0.1:9'\nstart_timeout = 0.3\n"
            "[tool.mlgates.canary]\npause_s = 0\n"
        )
        run = serving.apply(*LIVE)
        assert (run.ret, serving.champion()) == (10, BETTER)
        assert "PAGE credit v2: canary: " in run.text and "connection refused" in run.text

    def test_a_champion_that_has_just_come_is_still_being_deployed(
        self, repo: Repo, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        promote(repo, monkeypatch, hours=0.01, version=COPY)
        repo.settings("[tool.mlgates.endpoint]\nchampion_url = 'http://127.0.0.1:9'\n")
        run = repo.apply(*LIVE)
        assert run.ret == 10 and "KEEP credit v4: canary: " in run.text
        assert "s ago (burn-in is 180 s)" in run.text


def answers(repo: Repo) -> Iterator[tuple[dict[str, float], int]]:
    with (repo.path / "golden.csv").open() as file:
        for row in csv.DictReader(file):
            yield {name: float(row[name]) for name in FEATURES}, int(row["y"])


def live_rows(repo: Repo, change: Callable[[dict[str, object]], None] = lambda row: None, rows: int = 1500) -> None:
    """A labelled live sample like the golden set, changed row by row."""
    found = []
    for number, (x, y) in enumerate(answers(repo)):
        if number >= rows:
            break
        row: dict[str, object] = {**x, "y": y}
        change(row)
        found.append(row)
    with (repo.path / "live.csv").open("w", newline="") as out:
        writer = csv.DictWriter(out, list(found[0]))
        writer.writeheader()
        writer.writerows(found)


class TestScoreDrift:
    @pytest.fixture(autouse=True)
    def asked(self, serving: Repo) -> None:
        serving.settings(
            "[tool.mlgates.score_drift]\nsample = 'live.csv'\n", gates_live=["golden_integrity", "score_drift"]
        )

    def logged(self, repo: Repo, shift: float) -> None:
        rng = np.random.default_rng(1)
        repo.answers(lambda y: _spread(len(y)), lambda y: _spread(len(y)))
        live_rows(repo, lambda row: row.update(score=round(float(np.clip(rng.uniform() ** (1 + shift), 0, 1)), 6)))

    def test_scores_as_on_the_golden_set_pass(self, serving: Repo, spread: list[str]) -> None:
        self.logged(serving, 0.0)
        run = serving.apply(*LIVE, *spread)
        assert run.ret == 0, run.text
        serving.on_page("score_drift", "passing")

    def test_scores_that_moved_ask_a_person(self, serving: Repo) -> None:
        self.logged(serving, 2.0)
        run = serving.apply(*LIVE)
        assert (run.ret, serving.champion()) == (1, BETTER)
        assert "PAGE credit v2: score_drift: score psi [logged as score] " in run.text
        gate = next(gate for gate in serving.evidence()["gates"] if gate["name"] == "score_drift")
        assert gate["judgements"][0]["evidence"]["details"]["ks_p"] < 0.01
        serving.on_page("score_drift", "failing")

    def test_without_a_sample_it_says_so(self, serving: Repo) -> None:
        serving.settings(gates_live=["golden_integrity", "score_drift"])
        assert '[tool.mlgates.score_drift] needs sample = "data/live.parquet"' in serving.apply(*LIVE).text


def _without(row: dict[str, object], name: str) -> None:
    del row[name]


def _spread(rows: int) -> np.ndarray:
    return np.column_stack([1 - (u := (np.arange(rows) + 0.5) / rows), u])


class TestLiveSkew:
    @pytest.fixture(autouse=True)
    def asked(self, serving: Repo) -> None:
        live_rows(serving)
        (serving.path / "live.csv").rename(serving.path / "training.csv")
        serving.settings(
            "[tool.mlgates.skew]\nsample = 'live.csv'\nbaseline = 'training.csv'\nignore = ['y']\n",
            gates_live=["golden_integrity", "live_skew"],
        )

    def test_like_training_passes(self, serving: Repo, spread: list[str]) -> None:
        live_rows(serving)
        assert serving.apply(*LIVE, *spread).ret == 0
        serving.on_page("live_skew", "passing")

    def test_drift_is_for_review(self, serving: Repo) -> None:
        live_rows(serving, lambda row: row.update(x1=float(str(row["x1"])) + 0.7))
        run = serving.apply(*LIVE)
        assert (run.ret, serving.champion()) == (1, BETTER)
        assert "REVIEW credit v2: live_skew: " in run.text

    def test_a_broken_pipeline_asks_a_person(self, serving: Repo) -> None:
        live_rows(serving, lambda row: row.update(x1=0.0))
        run = serving.apply(*LIVE)
        assert (run.ret, serving.champion()) == (1, BETTER)
        assert "PAGE credit v2: live_skew: sudden [x1]" in run.text
        serving.on_page("live_skew", "failing")


class TestRollingQuality:
    """The former champion scores the same rows; both models are real here."""

    def asks(self, repo: Repo, more: str = "") -> None:
        repo.settings(
            f"[tool.mlgates.rolling_quality]\nsample = 'live.csv'\n{more}",
            gates_live=["golden_integrity", "rolling_quality"],
        )

    def test_a_champion_that_is_better_than_the_former_one_passes(self, serving: Repo) -> None:
        live_rows(serving, rows=800)
        self.asks(serving)
        run = serving.apply(*LIVE)
        assert run.ret == 0, run.text
        assert "roc_auc gain [over former champion v1] +0." in run.text
        serving.on_page("rolling_quality", "passing")

    def test_one_that_is_worse_is_for_review(self, repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
        promote(repo, monkeypatch, version=WORSE)
        live_rows(repo, rows=800)
        self.asks(repo)
        run = repo.apply(*LIVE)
        assert (run.ret, repo.champion()) == (1, WORSE), run.text
        assert "REVIEW credit v3: rolling_quality: roc_auc gain [over former champion v1] -0." in run.text
        repo.on_page("rolling_quality", "failing")

    def test_without_a_former_champion_nothing_is_compared(self, repo: Repo) -> None:
        live_rows(repo, rows=300)
        self.asks(repo)
        run = repo.apply(*LIVE)
        assert run.ret == 10
        assert "there is no former champion to compare with: no other version is known to have served" in run.text

    def test_too_few_labels(self, serving: Repo) -> None:
        live_rows(serving, lambda row: row.update(y=row["y"] if row["x1"] > 1.2 else ""), rows=300)  # type: ignore[operator]
        self.asks(serving)
        run = serving.apply(*LIVE)
        assert run.ret == 10 and "rows have their label by now; 200 are needed" in run.text

    def test_a_column_that_is_missing(self, serving: Repo) -> None:
        live_rows(serving, lambda row: _without(row, "x2"), rows=300)
        self.asks(serving)
        run = serving.apply(*LIVE)
        assert run.ret == 10 and "has no column 'x2'" in run.text
