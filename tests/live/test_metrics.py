"""What is asked of a metrics server, and what becomes of its answers."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.live.guard import Past
from pytest_mlgates.measure.live.metrics import Watched
from pytest_mlgates.measure.live.slo import burn_rates
from pytest_mlgates.policy import BurnRate, Prometheus
from pytest_mlgates.ports.metrics import Series

TOLD = Prometheus(url="http://p:9090", champion='job="churn"', control='job="other"')


@dataclass
class Steady:
    """Twenty requests a second of everything, one in a thousand bad."""

    asked: list[tuple[str, float, float, float]] = field(default_factory=list)
    name: str = "a server"

    def now(self) -> float:
        return 0.0

    def close(self) -> None:
        pass

    def query_range(self, query: str, start: float, end: float, step: float) -> list[Series]:
        self.asked.append((query, start, end, step))
        rate = 0.02 if "5.." in query else 20.0
        times = [start + step * place for place in range(round((end - start) / step) + 1)]
        return [Series(tuple((time, rate * (time - start)) for time in times), {"le": "+Inf"})]


@given(st.floats(1.7e9, 1.8e9))
def test_whatever_the_time_of_day_the_last_step_is_fresh(now: float) -> None:
    """Six hours are asked in steps of minutes; the last of them ends now."""
    server = Steady()
    found = [evidence for evidence, _ in burn_rates(Watched(server, TOLD, now), BurnRate(), Past())]
    assert [one.details["state"] for one in found] == ["well", "well"]
    assert all(now - end < TOLD.step for _, _, end, _ in server.asked)
    assert {step for *_, step in server.asked} == {30.0, 180.0}


def test_templates_name_champion_and_control() -> None:
    server = Steady()
    Watched(server, TOLD, 1e6).errors(600, 15)
    assert [query for query, *_ in server.asked] == [
        'http_requests_total{job="churn"}',
        'http_requests_total{job="churn",code=~"5.."}',
        'http_requests_total{job="other"}',
        'http_requests_total{job="other",code=~"5.."}',
    ]


def test_a_query_of_ones_own_for_the_control_is_asked_as_it_is() -> None:
    told = Prometheus(url="http://p", champion='job="churn"', queries={"control_requests": "shop_requests_total"})
    server = Steady()
    assert Watched(server, told, 1e6).controlled
    with pytest.raises(CouldNotEvaluate, match=r"has no bucket that ends at 0\.5 s"):
        Watched(server, told, 1e6).slow(600, 15, 0.5)
    assert told.control_query("requests") == "shop_requests_total"


class Labelled(Steady):
    """Only requests have data, with these labels; nothing is wrong, or the query for it finds nothing."""

    def __init__(self, **labels: str) -> None:
        super().__init__()
        self.labels = labels

    def query_range(self, query: str, start: float, end: float, step: float) -> list[Series]:
        found = super().query_range(query, start, end, step)
        return [] if "5.." in query else [Series(one.points, self.labels) for one in found]


def test_errors_are_none_only_where_they_would_be_counted() -> None:
    """A label that was renamed leaves the query for errors empty for ever: that is no service without errors."""
    flow, _ = Watched(Labelled(job="churn", code="200"), TOLD, 1e6).errors(600, 15)
    assert flow.between(0, 1e6).bad == 0
    with pytest.raises(CouldNotEvaluate) as caught:
        Watched(Labelled(job="churn", status="200"), TOLD, 1e6).errors(600, 15)
    assert str(caught.value).endswith(
        ' has no data for http_requests_total{job="churn",code=~"5.."}, and what http_requests_total{job="churn"} '
        "gives has no label 'code': was it renamed? Errors that are not counted are not none; "
        "[tool.mlgates.prometheus] says what is asked"
    )
    other = Prometheus(url="http://p", champion='job="churn"', queries={"errors": "http_5..s_total{$who}"})
    assert Watched(Labelled(job="churn"), other, 1e6).errors(600, 15)[0].between(0, 1e6).bad == 0, (
        "a counter of its own"
    )


def test_one_series_is_asked_for_a_gauge() -> None:
    class Two(Steady):
        def query_range(self, query: str, start: float, end: float, step: float) -> list[Series]:
            return 2 * super().query_range(query, start, end, step)

    told = Prometheus(url="http://p", champion='job="churn"', queries={"latency_p99": "p99{$who}"})
    with pytest.raises(CouldNotEvaluate, match="gives 2 series: write a query that gives one"):
        Watched(Two(), told, 1e6).gauge("latency_p99", 600, 15)
