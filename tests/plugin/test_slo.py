"""The gates `slo` and `burn_rate` in whole runs, against a server that answers as Prometheus does, and badly."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from liverepo import BETTER, CHAMPION, LIVE, Repo, promote
from tests.prometheus import FakePrometheus, Service, after


@pytest.fixture
def prometheus() -> Iterator[FakePrometheus]:
    with FakePrometheus({"churn": Service(), "other": Service()}) as fake:
        yield fake


def asks(repo: Repo, prometheus: FakePrometheus, more: str = "", *, control: str = "other", **keys: object) -> None:
    beside = f"control = 'job=\"{control}\"'" if control else ""
    repo.settings(
        f"[tool.mlgates.prometheus]\nurl = {json.dumps(prometheus.url)}\nchampion = 'job=\"churn\"'\n{beside}\n{more}",
        **{"gates_live": ["slo"], **keys},
    )


@pytest.fixture
def watched(repo: Repo, prometheus: FakePrometheus, monkeypatch: pytest.MonkeyPatch) -> Repo:
    """A champion that was promoted an hour ago and is well, with a control beside it."""
    promote(repo, monkeypatch)
    asks(repo, prometheus)
    return repo


def test_what_is_well_stays(watched: Repo, spread: list[str]) -> None:
    run = watched.apply(*LIVE, *spread)
    assert run.ret == 0, run.text
    assert "KEEP credit v2: all 1 required gates passed against v2" in run.text
    assert watched.champion() == BETTER


def test_a_sharp_regression_is_rolled_back(watched: Repo, prometheus: FakePrometheus, spread: list[str]) -> None:
    prometheus.services["churn"].errors = after(180, 0.2, 0.002)
    run = watched.apply(*LIVE, *spread)
    assert run.ret == 1, run.text
    assert "ROLLBACK credit v2: slo: errors [120 s] 0." in run.text
    assert "proven not <= 0.05; the control is well (0.2" in run.text
    assert "told: SEV2, the pager, of what was done, within 15 min" in run.text
    assert f"'champion' is v{CHAMPION} again, instead of v{BETTER} (entry 3)" in run.text
    assert watched.champion() == CHAMPION
    assert watched.evidence()["action"]["done"] is True
    watched.on_page("slo", "failing", exact=False)


def test_slow_answers_are_rolled_back_too(watched: Repo, prometheus: FakePrometheus) -> None:
    prometheus.services["churn"].slow = lambda ago, bound: 0.2 if ago < 400 and bound <= 0.5 else 0.001
    run = watched.apply(*LIVE)
    assert (run.ret, watched.champion()) == (1, CHAMPION), run.text
    assert "ROLLBACK credit v2: slo: slower than 500 ms [300 s] 0.2" in run.text


def test_without_apply_it_is_only_said(watched: Repo, prometheus: FakePrometheus) -> None:
    prometheus.services["churn"].errors = after(180, 0.2, 0.002)
    run = watched.run(*LIVE)
    assert (run.ret, watched.champion()) == (1, BETTER)
    assert "WOULD ROLLBACK credit v2 (add --mlgate-apply to do it): slo: errors" in run.text


class TestNobodyIsRolledBackFor:
    """Everything that is bad, and not proven to be the champion's fault: a person is told."""

    def test_an_outage_that_the_control_shares(self, watched: Repo, prometheus: FakePrometheus) -> None:
        for service in prometheus.services.values():
            service.errors = after(400, 0.2, 0.002)
        run = watched.apply(*LIVE)
        assert (run.ret, watched.champion()) == (10, BETTER)
        assert "PAGE credit v2: slo: errors [300 s]: 0.2 of" in run.text
        assert "the control is beyond the limit as well (20.00%): not the model" in run.text
        assert "told: SEV2, the pager, who decides, within 15 min" in run.text

    def test_a_control_that_became_worse_within_its_limits(self, watched: Repo, prometheus: FakePrometheus) -> None:
        prometheus.services["churn"].errors = after(400, 0.2, 0.002)
        prometheus.services["other"].errors = after(400, 0.015, 0.001)
        run = watched.apply(*LIVE)
        assert (run.ret, watched.champion()) == (10, BETTER)
        assert "the control has become worse too" in run.text

    def test_a_control_that_is_slower_than_it_was_though_still_fast(
        self, watched: Repo, prometheus: FakePrometheus
    ) -> None:
        prometheus.services["churn"].slow = lambda ago, bound: 0.2 if ago < 400 and bound <= 0.5 else 0.001
        prometheus.services["other"].slow = lambda ago, bound: (0.3 if ago < 400 else 0.05) if bound <= 0.1 else 0.0
        run = watched.apply(*LIVE)
        assert (run.ret, watched.champion()) == (10, BETTER), run.text
        assert "the control has become worse too" in run.text

    def test_a_control_without_data(self, watched: Repo, prometheus: FakePrometheus) -> None:
        prometheus.services["churn"].errors = after(400, 0.2, 0.002)
        del prometheus.services["other"]
        run = watched.apply(*LIVE)
        assert (run.ret, watched.champion()) == (10, BETTER)
        assert "the control has no data, so nobody can say whose fault it is" in run.text

    def test_overload(self, watched: Repo, prometheus: FakePrometheus) -> None:
        prometheus.services["churn"].errors = after(400, 0.2, 0.002)
        prometheus.services["churn"].rate = after(400, 200, 20)
        run = watched.apply(*LIVE)
        assert (run.ret, watched.champion()) == (10, BETTER)
        assert "traffic is 10" in run.text and "times the usual: overload, not the model" in run.text

    def test_a_burst_that_is_over(self, watched: Repo, prometheus: FakePrometheus) -> None:
        prometheus.services["churn"].errors = lambda ago: 0.9 if 60 < ago < 120 else 0.002
        run = watched.apply(*LIVE)
        assert (run.ret, watched.champion()) == (10, BETTER)
        assert "KEEP credit v2: slo: errors [300 s]: 0." in run.text
        assert "beyond its limit, but not proven to be so throughout the last 300 s" in run.text

    def test_a_champion_that_has_just_come(
        self, repo: Repo, prometheus: FakePrometheus, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        promote(repo, monkeypatch, hours=100 / 3600)
        asks(repo, prometheus)
        prometheus.services["churn"].errors = after(400, 0.5, 0.002)
        run = repo.apply(*LIVE)
        assert (run.ret, repo.champion()) == (10, BETTER)
        assert "s ago (burn-in is 180 s)" in run.text and "KEEP credit" in run.text

    def test_too_few_requests(self, watched: Repo, prometheus: FakePrometheus) -> None:
        prometheus.services["churn"].rate = lambda ago: 0.1
        prometheus.services["churn"].errors = lambda ago: 0.9
        run = watched.apply(*LIVE)
        assert (run.ret, watched.champion()) == (10, BETTER)
        assert "requests in 300 s, 50 are needed to say anything" in run.text and "KEEP credit" in run.text

    def test_requests_that_have_stopped(self, watched: Repo, prometheus: FakePrometheus) -> None:
        prometheus.services["churn"].rate = after(400, 0, 20)
        run = watched.apply(*LIVE)
        assert (run.ret, watched.champion()) == (10, BETTER)
        assert "PAGE credit v2: slo: errors [300 s]: requests have stopped: 0 requests in 300 s" in run.text


class TestWithoutAControl:
    def test_a_recent_change_after_which_it_went_wrong_is_taken_back(
        self, watched: Repo, prometheus: FakePrometheus
    ) -> None:
        asks(watched, prometheus, control="")
        prometheus.services["churn"].errors = after(3000, 0.2, 0.002)
        run = watched.apply(*LIVE)
        assert (run.ret, watched.champion()) == (1, CHAMPION), run.text
        assert "before the champion came it was well (0.20% of" in run.text

    def test_a_champion_that_has_served_for_days_is_a_persons_to_judge(
        self, repo: Repo, prometheus: FakePrometheus, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        promote(repo, monkeypatch, hours=72)
        asks(repo, prometheus, control="")
        prometheus.services["churn"].errors = after(400, 0.2, 0.002)
        run = repo.apply(*LIVE)
        assert (run.ret, repo.champion()) == (1, BETTER)
        assert "PAGE credit v2: slo: errors" in run.text and "the champion has served for 72 h" in run.text


class TestNoData:
    """Never rolled back, never well: exit 10, and on-call is told."""

    @pytest.mark.parametrize(
        ("tricks", "said"),
        [
            ({"empty": True}, 'has no data for http_requests_total{job="churn"}: was the metric renamed'),
            ({"nan": True}, 'answers only NaN to http_requests_total{job="churn"}'),
            ({"infinite": True}, "inf is no value of a counter, but requests and errors are counters"),
            ({"skew": 600}, "is 600 s ahead of this machine's"),
            ({"skew": -600}, "is 600 s behind this machine's"),
            ({"stall": 30}, "no answer within 0.5 s"),
            ({"status": 503, "text": "no healthy upstream"}, "answers HTTP 503 and not as Prometheus does"),
            ({"status": 401, "text": "{}"}, "refuses the request (HTTP 401)"),
            ({"told": {"status": "error", "error": "query timed out"}}, "says 'query timed out' for the query"),
            ({"told": {"warnings": ["partial response"]}}, "warns 'partial response' for the query"),
            (
                {"told": {"data": {"resultType": "matrix", "result": [{"metric": {}, "values": "no"}]}}},
                "cannot be read",
            ),
            ({"told": {"data": None}}, "answers something else than a range of values"),
        ],
        ids=lambda case: next(iter(case)) if isinstance(case, dict) else "",
    )
    def test_bad_answers(self, watched: Repo, prometheus: FakePrometheus, tricks: dict[str, object], said: str) -> None:
        asks(watched, prometheus, "timeout = 0.5" if "stall" in tricks else "")
        prometheus.services["churn"].errors = after(400, 0.5, 0.002)
        prometheus.tricks |= tricks
        run = watched.apply(*LIVE)
        assert (run.ret, watched.champion()) == (10, BETTER), run.text
        assert said in run.text
        assert "PAGE credit v2: slo: " in run.text
        assert "told: SEV3, on-call, who looks in the machine's place, within 60 min" in run.text

    def test_stale_data(self, watched: Repo, prometheus: FakePrometheus) -> None:
        prometheus.services["churn"].errors = after(900, 0.5, 0.002)
        prometheus.services["churn"].silent_since = 200
        run = watched.apply(*LIVE)
        assert (run.ret, watched.champion()) == (10, BETTER)
        assert "s old (more than 120 s); what cannot be seen is not well" in run.text

    def test_nobody_there(self, watched: Repo, prometheus: FakePrometheus) -> None:
        watched.settings("[tool.mlgates.prometheus]\nurl = 'http://127.0.0.1:9'\nchampion = 'job=\"churn\"'\n")
        run = watched.apply(*LIVE)
        assert (run.ret, watched.champion()) == (10, BETTER)
        assert "Prometheus at http://127.0.0.1:9: nothing answers there (connection refused)" in run.text

    def test_a_histogram_without_the_bucket_says_so(self, watched: Repo, prometheus: FakePrometheus) -> None:
        asks(watched, prometheus, "[tool.mlgates.slo]\np99_ms = 300")
        run = watched.apply(*LIVE)
        assert run.ret == 10
        assert "the histogram has no bucket that ends at 0.3 s" in run.text

    def test_no_server_named(self, watched: Repo) -> None:
        watched.settings(gates_live=["slo"])
        assert 'no metrics: write [tool.mlgates.prometheus] url = "http://prometheus:9090"' in watched.apply(*LIVE).text


def test_counters_that_start_anew_are_no_outage_and_hide_none(watched: Repo, prometheus: FakePrometheus) -> None:
    prometheus.tricks["reset"] = True
    assert watched.apply(*LIVE).ret == 0
    prometheus.services["churn"].errors = after(180, 0.2, 0.002)
    assert (watched.apply(*LIVE).ret, watched.champion()) == (1, CHAMPION)


def test_the_registry_is_down_during_an_incident(watched: Repo, prometheus: FakePrometheus) -> None:
    """The figures are still said; nothing can be rolled back."""
    prometheus.services["churn"].errors = after(180, 0.2, 0.002)
    (watched.path / "mlflow.db").write_bytes(b"not a database at all")
    run = watched.apply(*LIVE)
    assert run.ret in (1, 10), run.text
    assert "PAGE credit: " in run.text and "proven not <= 0.05" in run.text
    assert "mlflow.db" in run.text


def test_after_a_rollback_that_did_not_help_a_person_decides(watched: Repo, prometheus: FakePrometheus) -> None:
    """Two versions are not taken in turns."""
    prometheus.services["churn"].errors = after(180, 0.2, 0.002)
    assert (watched.apply(*LIVE).ret, watched.champion()) == (1, CHAMPION)
    asks(watched, prometheus, "[tool.mlgates.slo]\nburn_in_s = 0\nerrors_at_once_s = 60\n")
    run = watched.apply(*LIVE)
    assert watched.champion() == CHAMPION
    assert "PAGE credit" in run.text or "KEEP credit" in run.text


def test_a_secret_comes_from_the_environment(
    watched: Repo, prometheus: FakePrometheus, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks(watched, prometheus, "headers = {Authorization = 'Bearer env:PROM_TOKEN'}")
    run = watched.apply(*LIVE)
    assert "takes PROM_TOKEN from the environment, where it is not set" in run.text and run.ret == 10
    monkeypatch.setenv("PROM_TOKEN", "s3cret")
    assert watched.apply(*LIVE).ret == 0
    assert prometheus.seen_headers[-1]["Authorization"] == "Bearer s3cret"
    asks(watched, prometheus, "headers = {Authorization = 'Bearer s3cret'}")
    assert "Authorization is a secret, which belongs in the environment" in watched.apply(*LIVE).text


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("queries = {request = 'x'}", "'request' is none of requests, errors, latency"),
        ("control = 'job=\"churn\"'", "champion and control are the same labels"),
    ],
)
def test_wrong_settings(watched: Repo, prometheus: FakePrometheus, more: str, said: str) -> None:
    asks(watched, prometheus, more, control="")
    run = watched.apply(*LIVE)
    assert run.ret == 4 and said in run.text


def test_the_default_of_the_live_phase_is_what_can_be_asked(watched: Repo, prometheus: FakePrometheus) -> None:
    asks(watched, prometheus, gates_live=None)
    assert watched.apply(*LIVE).ret == 0
    assert set(watched.verdicts()) == {"slo", "burn_rate"}
    watched.on_page("slo", "passing", exact=False)
    watched.on_page("burn_rate", "passing", exact=False)


class TestBurnRate:
    def test_a_budget_that_burns_asks_a_person(self, watched: Repo, prometheus: FakePrometheus) -> None:
        asks(watched, prometheus, gates_live=["burn_rate"])
        prometheus.services["churn"].errors = lambda ago: 0.13
        run = watched.apply(*LIVE)
        assert (run.ret, watched.champion()) == (1, BETTER), run.text
        assert "PAGE credit v2: burn_rate: burn rate [1 h] 1" in run.text
        watched.on_page("burn_rate", "failing", exact=False)

    def test_what_is_over_does_not_count(self, watched: Repo, prometheus: FakePrometheus) -> None:
        asks(watched, prometheus, gates_live=["burn_rate"])
        prometheus.services["churn"].errors = lambda ago: 0.5 if 2000 < ago < 3500 else 0.001
        run = watched.apply(*LIVE)
        assert (run.ret, watched.champion()) == (10, BETTER)
        assert "it is over: the short window is within the limit" in run.text
