"""What serves: how it is watched, and what leads to what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from pytest_mlgates.policy.base import Margin, Policy, Share
from pytest_mlgates.policy.data import Skew
from pytest_mlgates.policy.http import check_headers, check_url

_TABLE = "[tool.mlgates.prometheus]"
Seconds = Annotated[float, Field(gt=0)]
TierName = Literal["act", "ask", "review"]

#: What is asked of Prometheus: counters as they are, without rate() or sum(). $who is the labels of the champion or
#: of the control, $le the bounds of the histogram's buckets, as a regular expression.
QUERIES = {
    "requests": "http_requests_total{$who}",
    "errors": 'http_requests_total{$who,code=~"5.."}',
    "latency": 'http_request_duration_seconds_bucket{$who,le=~"$le"}',
    "latency_p99": "",
    "available": "",
}


class Prometheus(Policy):
    """Where metrics are. `champion` and `control` are labels, as in `job="churn"`: of the service whose model is
    judged, whichever version it serves, and of something beside it that runs other code or another model ("" without).

    `queries` replaces templates (see `docs/settings.md`); one called control_NAME is used for the control as it is.
    `headers` take secrets from the environment: "Bearer env:NAME". Times are in seconds: `step` between points, no
    shorter than the scrape interval; `timeout` an answer; `skew` between the clocks.
    """

    url: str = ""
    champion: str = ""
    control: str = ""
    queries: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    step: Seconds = 15.0
    timeout: Seconds = 10.0
    skew: Seconds = 30.0
    verify_tls: bool = True
    ca: str = ""

    @field_validator("url")
    @classmethod
    def _a_url(cls, url: str) -> str:
        return check_url(url, _TABLE)

    @field_validator("headers")
    @classmethod
    def _no_secrets(cls, headers: Mapping[str, str]) -> Mapping[str, str]:
        return check_headers(headers, _TABLE)

    @field_validator("queries")
    @classmethod
    def _known(cls, queries: Mapping[str, str]) -> Mapping[str, str]:
        known = [*QUERIES, *(f"control_{name}" for name in QUERIES)]
        for name in queries:
            if name not in known:
                raise ValueError(f"{name!r} is none of {', '.join(known)}")
        return queries

    @model_validator(mode="after")
    def _somebody(self) -> Prometheus:
        if self.url and not self.champion and any("$who" in self.template(name) for name in QUERIES):
            raise ValueError("champion is missing: write the labels of the service, e.g. champion = 'job=\"churn\"'")
        if self.champion and self.champion == self.control:
            raise ValueError("champion and control are the same labels: nobody is to blame who is compared with itself")
        return self

    def template(self, name: str) -> str:
        return self.queries.get(name, QUERIES[name])

    def query(self, name: str) -> str:
        """What is asked about the champion, "" for nothing; $le is still to be filled in."""
        return self.template(name).replace("$who", self.champion)

    def control_query(self, name: str) -> str:
        """What is asked about the control, "" where there is none."""
        if f"control_{name}" in self.queries:
            return self.queries[f"control_{name}"].replace("$who", self.control)
        return self.template(name).replace("$who", self.control) if self.control else ""


class Live(Policy):
    """How what serves is watched: a look every `every_s` seconds, each over within `limit_s`; after a rollback the
    machine does nothing on its own for `cool_down_s`.
    """

    every_s: Annotated[float, Field(ge=1)] = 30.0
    limit_s: Annotated[float, Field(ge=5)] = 120.0
    cool_down_s: Annotated[float, Field(ge=0)] = 3600.0


class _Judged(Policy):
    """What it takes to say something about a service, for every gate that asks Prometheus.

    `requests` in a window at least; `alpha` of one proof, small because there are thousands of looks; data is stale
    after `stale_s`, and for `burn_in_s` after a change of champion nothing is done. A champion must be `worse` times as
    bad as the control; `spike` times the usual traffic is overload; without a control only a champion that came in
    the last `suspect_h` hours is to blame.
    """

    requests: Annotated[int, Field(ge=10)] = 50
    alpha: Share = 0.001
    stale_s: Seconds = 120.0
    burn_in_s: Annotated[float, Field(ge=0)] = 180.0
    worse: Annotated[float, Field(ge=1)] = 2.0
    spike: Annotated[float, Field(gt=1)] = 2.0
    suspect_h: Seconds = 24.0


class Slo(_Judged):
    """No more than `errors` of the requests fail, and p99 is `p99_ms` or less, else after `seconds` it is a breach;
    beyond the `at_once` limits after their own. `available`: the least value of that query, where there is one.
    """

    errors: Share = 0.02
    p99_ms: Annotated[float, Field(gt=0)] = 500.0
    seconds: Annotated[float, Field(ge=1)] = 300.0
    errors_at_once: Share = 0.05
    errors_at_once_s: Annotated[float, Field(ge=1)] = 120.0
    p99_at_once_ms: Annotated[float, Field(gt=0)] = 1000.0
    p99_at_once_s: Annotated[float, Field(ge=1)] = 300.0
    available: Annotated[float, Field(ge=0)] = 0.9
    tier: TierName = "act"

    @model_validator(mode="after")
    def _ordered(self) -> Slo:
        if self.errors_at_once < self.errors or self.p99_at_once_ms < self.p99_ms:
            raise ValueError("errors_at_once and p99_at_once_ms are further out than errors and p99_ms")
        return self


class BurnRate(_Judged):
    """The error budget is `1 - objective` of the requests; it burns no faster than `fast` times over an hour and
    `slow` times over six, nor over a twelfth of them at the same time.
    """

    objective: Annotated[float, Field(gt=0.5, lt=1)] = 0.99
    fast: Annotated[float, Field(gt=1)] = 10.0
    slow: Annotated[float, Field(gt=1)] = 3.0
    tier: TierName = "ask"


class ScoreDrift(Skew):
    """The scores that were logged live, in column `score` of `sample`, against the model's own on the golden set: their
    index must not be proven above `psi`. Keys as in `skew`.
    """

    score: str = "score"
    psi: Margin = 0.1
    tier: TierName = "ask"


class LiveSkew(Skew):
    """As `skew`, on the last window of what the model received. What it leaves at its default is as in `skew`."""

    tier: TierName = "ask"


class RollingQuality(Policy):
    """Labels that came late, in `sample` with the features, the true label in `label` and, where it was logged, the
    champion's answer in `score`: the champion must not be proven worse than what the former champion would have
    scored on the same rows, by more than `margin` of `metric`. At least `rows` of them, read within `timeout` seconds.
    """

    sample: str = ""
    table: str = ""
    query: str = ""
    engine: Literal["arrow", "duckdb", "spark"] = "arrow"
    label: str = ""
    metric: str = ""
    margin: Margin = 0.005
    rows: Annotated[int, Field(ge=20)] = 200
    most: Annotated[int, Field(ge=20)] = 100_000
    alpha: Share = 0.01
    timeout: Seconds = 600.0
    tier: TierName = "review"


class Staleness(Policy):
    """The champion was trained in the last `days` days, as its run or its tag `mlgates.trained_at` says."""

    days: Annotated[float, Field(gt=0)] = 90.0
    tier: TierName = "review"


class Canary(Policy):
    """The live endpoint answers `records` golden rows as the champion itself does, within `tolerance`, a share of its
    own answer; `tries` times, `pause_s` seconds apart, it must be wrong before it is called so.
    """

    records: Annotated[int, Field(ge=1)] = 5
    tolerance: Annotated[float, Field(ge=0, lt=0.1)] = 0.0001
    tries: Annotated[int, Field(ge=1, le=10)] = 3
    pause_s: Annotated[float, Field(ge=0, le=60)] = 2.0
    tier: TierName = "ask"
