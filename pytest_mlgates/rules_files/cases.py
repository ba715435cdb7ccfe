"""Tests of the rules for `promtool test rules`: each alert fires when it should, and neither early nor otherwise."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_mlgates.rules_files.alerts import alerts
from pytest_mlgates.rules_files.watched import Watched, quoted, span

_STEP = 15.0
_DAY = 86_400.0
_MATCHER = re.compile(r'\s*([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*,?')
#: Values that a label's pattern is tried with.
_TRIED = ("500", "503", "200", "0.1", "GET", "/predict", "churn", "a")

Series = tuple[str, str]


@dataclass(frozen=True)
class _Case:
    """`bad` makes the alert fire at `at` seconds and not yet at `early`; with `good` it never fires."""

    alert: str
    bad: Sequence[Series]
    good: Sequence[Series]
    at: float
    early: float | None = None
    labels: dict[str, str] = field(default_factory=dict)


def cases(watched: Watched) -> dict[str, Any]:
    """The test file as plain data. Queries of one's own that are no plain selector are left out."""
    known = {alert["alert"]: alert for alert in alerts(watched)}
    tests: list[dict[str, Any]] = []
    for case in (*_service(watched), *_around(watched), *_records(watched)):
        if case.alert in known:
            tests += _tests(case, known[case.alert])
    return {
        "rule_files": ["mlgates.rules.yml"],
        "evaluation_interval": "1m",
        "tests": tests,
    }


def concrete(query: str, **more: str) -> str:
    """A series that the selector `query` would find, with the labels `more`; "" where none can be made up."""
    match = re.fullmatch(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})?", query.strip())
    if match is None:
        return ""
    labels = dict(more)
    matchers = _MATCHER.findall(match[2] or "")
    if len("".join(_MATCHER.sub("", match[2] or "").split())) > 0:
        return ""
    for name, sign, value in matchers:
        wanted = labels.get(name)
        tried = [wanted] if wanted is not None else [value] if sign == "=" else [*_TRIED, value]
        fits = [text for text in tried if _fits(text, sign, value)]
        if not fits:
            return ""
        labels[name] = fits[0]
    return f"{match[1]}{{{','.join(f'{name}={quoted(value)}' for name, value in labels.items())}}}"


def _fits(text: str, sign: str, value: str) -> bool:
    try:
        return {
            "=": text == value,
            "!=": text != value,
            "=~": re.fullmatch(value, text) is not None,
            "!~": re.fullmatch(value, text) is None,
        }[sign]
    except re.error:
        return False


def _tests(case: _Case, alert: dict[str, Any]) -> Iterator[dict[str, Any]]:
    fires = [{"exp_labels": {**alert["labels"], **case.labels}, "exp_annotations": _filled(alert, case.labels)}]
    bad = [_asked(case, case.at, fires)]
    if case.early is not None:
        bad.insert(0, _asked(case, case.early, []))
    yield _test(case.bad, bad)
    if case.good:
        yield _test(case.good, [_asked(case, case.at, [])])


def _test(series: Sequence[Series], asked: list[dict[str, Any]]) -> dict[str, Any]:
    inputs = [{"series": name, "values": values} for name, values in series]
    return {"interval": span(_STEP), "input_series": inputs, "alert_rule_test": asked}


def _asked(case: _Case, at: float, expected: list[dict[str, Any]]) -> dict[str, Any]:
    return {"eval_time": span(at), "alertname": case.alert, "exp_alerts": expected}


def _filled(alert: dict[str, Any], labels: dict[str, str]) -> dict[str, str]:
    found = {}
    for key, text in alert["annotations"].items():
        for name, value in labels.items():
            text = text.replace(f"{{{{ $labels.{name} }}}}", value)
        found[key] = text
    return found


def _service(watched: Watched) -> Iterator[_Case]:
    fine, wrong = concrete(watched.requests, code="200"), concrete(watched.errors)
    if fine and wrong and fine != wrong:
        for name, limit, hold in (
            ("MlgatesErrorsHigh", watched.errors_limit, watched.errors_for),
            ("MlgatesErrorsAtOnce", watched.errors_at_once, watched.errors_at_once_for),
        ):
            bad, good = (_counters(fine, wrong, share, hold + 600) for share in (min(0.9, 2 * limit), limit / 2))
            yield _Case(name, bad, good, hold + 300, hold - 15)
        budget = 1 - watched.objective
        for name, times in (("MlgatesBurnFast", watched.fast), ("MlgatesBurnSlow", watched.slow)):
            pair = (min(0.9, 2 * times * budget), times * budget / 2)
            bad, good = (_counters(fine, wrong, share, 2400) for share in pair)
            yield _Case(name, bad, good, 1800)
    buckets = watched.latency.replace('le=~"$le"', 'le=~".+"')
    if not watched.latency_p99 and concrete(buckets, le="0.1"):
        for name, limit, hold in (
            ("MlgatesLatencyHigh", watched.p99_limit, watched.p99_for),
            ("MlgatesLatencyAtOnce", watched.p99_at_once, watched.p99_at_once_for),
        ):
            ends = (limit / 4, limit / 2, 4 * limit)
            bad = _histogram(buckets, ends, (90, 92, 100), hold + 600)
            good = _histogram(buckets, ends, (95, 100, 100), hold + 600)
            yield _Case(name, bad, good, hold + 300, hold - 15)


def _around(watched: Watched) -> Iterator[_Case]:
    fine, wrong = concrete(watched.control_requests, code="200"), concrete(watched.control_errors)
    if fine and wrong and fine != wrong:
        bad, good = (
            _counters(fine, wrong, share, 900)
            for share in (min(0.9, 2 * watched.errors_limit), watched.errors_limit / 2)
        )
        yield _Case("MlgatesInfrastructureDown", bad, good, 300, 30)
    target = concrete(f"up{{{watched.who}}}") if watched.who else ""
    if target:
        yield _Case("MlgatesTargetDown", [(target, _flat(0, 900))], [(target, _flat(1, 900))], 300, 60)
    if fine := concrete(watched.requests, code="200"):
        yield _Case("MlgatesMetricsAbsent", [], [(fine, f"0+10x{_steps(1200)}")], 600, 120)


def _records(watched: Watched) -> Iterator[_Case]:
    def own(name: str, **labels: str) -> str:
        told = {"model": watched.model, **labels}
        return f"{name}{{{','.join(f'{key}={quoted(value)}' for key, value in told.items())}}}"

    silent = max(300.0, 10 * watched.every)
    looked, ends = own("mlgates_run_timestamp_seconds", phase="live"), silent + 600
    alive = [(looked, f"0+{_STEP:g}x{_steps(ends)}")]
    yield _Case("MlgatesWatcherSilent", [(looked, _flat(0, ends))], alive, silent + 300, silent / 2, {"phase": "live"})
    yield _Case("MlgatesWatcherSilent", [], [], 300, 30, {"phase": "live"})
    failing = {"phase": "live", "gate": "slo", "verdict": "FAIL"}
    verdict = own("mlgates_gate_verdict", **failing)
    yield _Case("MlgatesGateFailing", [(verdict, _flat(1, 600))], [(verdict, _flat(0, 600))], 300, 30, failing)
    for name, series, bad, good, at, early, labels in (
        ("MlgatesWorstIncidentOpen", own("mlgates_incidents_open", severity="SEV1"), 1, 0, 60, 0, {"severity": ""}),
        ("MlgatesIncidentOverdue", own("mlgates_incidents_overdue"), 1, 0, 300, 30, {}),
        ("MlgatesRegistryDown", own("mlgates_registry_up"), 0, 1, 600, 150, {}),
        (
            "MlgatesGoldenStale",
            own("mlgates_golden_frozen_timestamp_seconds"),
            -(watched.golden_days + 1) * _DAY,
            -(watched.golden_days - 1) * _DAY,
            5400,
            1800,
            {},
        ),
        ("MlgatesGoldenChanged", own("mlgates_dvc_up_to_date", role="golden"), 0, 1, 600, 150, {"role": "golden"}),
    ):
        told = {key: value for key, value in labels.items() if value}
        yield _Case(name, [(series, _flat(bad, 7200))], [(series, _flat(good, 7200))], at, early, told)
    where = {"role": "data", "file": "train.parquet"}
    data = own("mlgates_dvc_up_to_date", **where)
    yield _Case("MlgatesDataOutOfDate", [(data, _flat(0, 7200))], [(data, _flat(1, 7200))], 5400, 1800, where)
    pinned = own("mlgates_dvc_pinned_timestamp_seconds", **where)
    old, new = (_flat(-(watched.data_days + more) * _DAY, 7200) for more in (1, -1))
    yield _Case("MlgatesDataStale", [(pinned, old)], [(pinned, new)], 5400, 1800, where)
    spent, size = own("mlgates_golden_budget_spent"), own("mlgates_golden_budget_size")
    half, nearly = ([(spent, _flat(n, 7200)), (size, _flat(20, 7200))] for n in (10, 16))
    yield _Case("MlgatesGoldenBudget", nearly, half, 5400, 1800)
    up = own("mlgates_registry_up")
    yield _Case("MlgatesExporterGone", [], [(up, _flat(0, 1200))], 600, 150)
    drill = own("mlgates_drill_passed_timestamp_seconds")
    old, new = (_flat(-(watched.drill_days + more) * _DAY, 7200) for more in (1, -1))
    yield _Case("MlgatesDrillStale", [(drill, old)], [(drill, new)], 5400, 1800)
    yield _Case("MlgatesDrillStale", [], [], 5400, 1800)
    yield _Case("MlgatesWatchdog", [], [], 60)


def _counters(fine: str, wrong: str, share: float, seconds: float) -> list[Series]:
    steps = _steps(seconds)
    return [(fine, f"0+{round(1000 * (1 - share))}x{steps}"), (wrong, f"0+{round(1000 * share)}x{steps}")]


def _histogram(query: str, ends: Sequence[float], growth: Sequence[int], seconds: float) -> list[Series]:
    bounds = [*(f"{end:g}" for end in ends), "+Inf"]
    counts = [*growth, growth[-1]]
    return [(concrete(query, le=b), f"0+{c}x{_steps(seconds)}") for b, c in zip(bounds, counts, strict=True)]


def _flat(value: float, seconds: float) -> str:
    return f"{value:g}+0x{_steps(seconds)}"


def _steps(seconds: float) -> int:
    return int(seconds / _STEP) + 1
