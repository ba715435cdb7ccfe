"""The readings of the pure core as evidence: errors, answering times, availability, burn rates."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import Evidence, Interval
from pytest_mlgates.live.guard import Past
from pytest_mlgates.live.reading import Reading, State, Unknown
from pytest_mlgates.measure.live.metrics import Watched
from pytest_mlgates.policy import BurnRate, Slo

if TYPE_CHECKING:
    from pytest_mlgates.live.slo import Terms

#: p99 is at its limit when this share of the requests is slower.
SLOW = 0.01
HOUR = 3600.0


def slo(watched: Watched, policy: Slo, past: Past) -> Iterator[tuple[Evidence, float]]:
    """(evidence, limit) of errors, p99 and availability, each held against the limit for a while, and the one at once.

    A p99 is judged by the share of requests that are slower than it may be, where there is a histogram. Raises
    CouldNotEvaluate when there is no data, or it cannot be relied on.
    """
    from pytest_mlgates.live.slo import BACK, Limit, Seen, judge

    terms, told, step = _terms(policy, watched), watched.told, watched.told.step
    back = max(policy.seconds, policy.errors_at_once_s, policy.p99_at_once_s) + policy.stale_s + BACK
    champion, control = watched.errors(back, step)
    seen = Seen(champion, control, None, past.since)
    for share, seconds in ((policy.errors, policy.seconds), (policy.errors_at_once, policy.errors_at_once_s)):
        where = f"{seconds:g} s"
        reading = _known("errors", where, lambda s=share, d=seconds: judge(seen, Limit(s, d), terms, watched.now))
        yield _evidence("errors", where, reading, policy.alpha), share
    if not told.query("latency") and not told.query("latency_p99"):
        raise CouldNotEvaluate("no answering times: [tool.mlgates.prometheus] queries has no latency nor latency_p99")
    for limit_ms, seconds in ((policy.p99_ms, policy.seconds), (policy.p99_at_once_ms, policy.p99_at_once_s)):
        if told.query("latency_p99"):
            yield _p99(watched, policy, past, terms, limit_ms, seconds), limit_ms
            continue
        found = Seen(*watched.slow(back, step, limit_ms / 1000), past.since)
        name, where = f"slower than {limit_ms:g} ms", f"{seconds:g} s"
        reading = _known(name, where, lambda f=found, d=seconds: judge(f, Limit(SLOW, d), terms, watched.now))
        yield _evidence(name, where, reading, policy.alpha), SLOW
    if told.query("available"):
        yield _available(watched, policy, past, terms), policy.available


def burn_rates(watched: Watched, policy: BurnRate, past: Past) -> Iterator[tuple[Evidence, float]]:
    """(evidence, limit) of the burn rate over one hour and over six. Raises CouldNotEvaluate."""
    from pytest_mlgates.live.burn import Burn, judge_burn
    from pytest_mlgates.live.slo import Seen

    terms = _terms(policy, watched)
    for factor, hours in ((policy.fast, 1.0), (policy.slow, 6.0)):
        step = max(watched.told.step, hours * 30)
        champion, control = watched.errors(hours * HOUR + policy.stale_s + HOUR, step)
        seen, burn, budget = Seen(champion, control, None, past.since), Burn(factor, hours * HOUR), 1 - policy.objective
        where = f"{hours:g} h"
        reading = _known("burn rate", where, lambda s=seen, b=burn, g=budget: judge_burn(s, b, g, terms, watched.now))
        yield _evidence("burn rate", where, reading, policy.alpha), factor


def _p99(watched: Watched, policy: Slo, past: Past, terms: Terms, limit_ms: float, seconds: float) -> Evidence:
    from pytest_mlgates.live.gauge import USUAL, GaugeLimit, judge_gauge

    step = watched.told.step
    points, control = watched.gauge("latency_p99", seconds + policy.stale_s + USUAL, step)
    limit = GaugeLimit(limit_ms / 1000, seconds, step)
    where = f"{seconds:g} s, {limit_ms:g} ms"
    reading = _known("p99", where, lambda: judge_gauge(points, control, limit, terms, watched.now, past.since))
    return _evidence("p99", where, reading, 0.0, unit="ms", times=1000)


def _available(watched: Watched, policy: Slo, past: Past, terms: Terms) -> Evidence:
    from pytest_mlgates.live.gauge import USUAL, GaugeLimit, judge_gauge

    step = watched.told.step
    points, control = watched.gauge("available", policy.seconds + policy.stale_s + USUAL, step)
    limit = GaugeLimit(policy.available, policy.seconds, step, "below")
    where = f"{policy.seconds:g} s"
    reading = _known("available", where, lambda: judge_gauge(points, control, limit, terms, watched.now, past.since))
    return _evidence("available", where, reading, 0.0)


def _terms(policy: Slo | BurnRate, watched: Watched) -> Terms:
    from pytest_mlgates.live.slo import Terms

    return Terms(
        policy.requests,
        policy.alpha,
        policy.stale_s,
        policy.burn_in_s,
        policy.worse,
        policy.spike,
        policy.suspect_h * HOUR,
        watched.controlled,
    )


def _known(name: str, where: str, judged: object) -> Reading:
    assert callable(judged)
    try:
        reading = judged()
    except Unknown as problem:
        raise CouldNotEvaluate(f"{name} [{where}]: {problem}; what cannot be seen is not well") from None
    assert isinstance(reading, Reading)
    return reading


def _evidence(measure: str, where: str, reading: Reading, alpha: float, unit: str = "", times: float = 1) -> Evidence:
    """Only what is well, or a breach that is the champion's own, is held against the limit: the rest cannot say."""
    interval = None
    if reading.low is not None and reading.high is not None:
        interval = Interval(reading.low, reading.high, 1 - 2 * alpha, "Clopper-Pearson")
    elif alpha and reading.n:
        from pytest_mlgates.stats.proportions import clopper_pearson

        level = 1 - 2 * alpha
        interval = Interval(*clopper_pearson(round(reading.value * reading.n), reading.n, level), level, "exact")
    details = {"state": str(reading.state), "why": reading.why}
    if reading.tier is not None:
        details["tier"] = str(reading.tier)
    if reading.began is not None:
        details["began"] = datetime.datetime.fromtimestamp(reading.began, datetime.UTC).isoformat(timespec="seconds")
    settled = reading.state in (State.WELL, State.BREACH)
    value = reading.value * times
    said = f"{value:.4g} of {reading.n:,}" if not unit else f"{value:.4g} {unit}"
    cannot_say = "" if settled else f"{said}: {reading.why}" if reading.state is not State.QUIET else reading.why
    return Evidence(measure, value, reading.n, interval, unit, where, cannot_say, details)
