"""Recording and alert rules. Every alert says how bad it is, of which part, in a sentence, and where its runbook is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pytest_mlgates.incident import runbook
from pytest_mlgates.rules_files.watched import Watched, buckets, quoted, rate, span

#: Ranges over which the share of errors is kept: for the burn rate's pairs of windows.
_RANGES = (300.0, 1800.0, 3600.0, 21600.0)
_DAY = 86_400.0


def groups(watched: Watched) -> dict[str, Any]:
    """The whole rules file as plain data."""
    made = [{"name": f"mlgates-{watched.model}-records", "rules": list(records(watched))}]
    made.append({"name": f"mlgates-{watched.model}-alerts", "rules": list(alerts(watched))})
    return {"groups": [group for group in made if group["rules"]]}


def records(watched: Watched) -> Iterator[dict[str, Any]]:
    labels = {"model": watched.model}
    ranges = sorted({watched.window, *_RANGES})
    if watched.requests:
        for seconds in ranges:
            yield _record(f"mlgates:requests:rate{span(seconds)}", rate(watched.requests, seconds), labels)
        if watched.errors:
            for seconds in ranges:
                share = _share(watched.errors, watched.requests, seconds)
                yield _record(f"mlgates:error_ratio:rate{span(seconds)}", share, labels)
    if watched.control_requests and watched.control_errors:
        share = _share(watched.control_errors, watched.control_requests, watched.window)
        yield _record(f"mlgates:control_error_ratio:rate{span(watched.window)}", share, labels)
    p99 = watched.latency_p99 or (
        f"histogram_quantile(0.99, {buckets(watched.latency, watched.window)})" if watched.latency else ""
    )
    if p99:
        yield _record(f"mlgates:latency_p99_seconds:rate{span(watched.window)}", p99, labels)


def alerts(watched: Watched) -> Iterator[dict[str, Any]]:
    yield from _service(watched)
    yield from _around(watched)
    yield from _gates(watched)
    yield from _records(watched)


def _service(watched: Watched) -> Iterator[dict[str, Any]]:
    """Is the model's service bad? What is rolled back for it, the live gates decide."""
    errors = f"mlgates:error_ratio:rate{span(watched.window)}{_of(watched)}"
    p99 = f"mlgates:latency_p99_seconds:rate{span(watched.window)}{_of(watched)}"
    if watched.requests and watched.errors:
        for name, limit, hold in (
            ("MlgatesErrorsHigh", watched.errors_limit, watched.errors_for),
            ("MlgatesErrorsAtOnce", watched.errors_at_once, watched.errors_at_once_for),
        ):
            said = f"more than {100 * limit:.3g} % of the requests to {watched.model} fail"
            yield _alert(watched, name, f"{errors} > {limit:g}", hold, "critical", "model", said, "slo")
        budget = 1 - watched.objective
        for name, times, long, short, severity in (
            ("MlgatesBurnFast", watched.fast, 3600.0, 300.0, "critical"),
            ("MlgatesBurnSlow", watched.slow, 21600.0, 1800.0, "warning"),
        ):
            pair = [f"mlgates:error_ratio:rate{span(s)}{_of(watched)} > {times * budget:.6g}" for s in (long, short)]
            said = f"the error budget of {watched.model} burns {times:g} times too fast over {span(long)}"
            yield _alert(watched, name, " and ".join(pair), 60, severity, "model", said, "burn_rate")
    if watched.latency or watched.latency_p99:
        for name, limit, hold in (
            ("MlgatesLatencyHigh", watched.p99_limit, watched.p99_for),
            ("MlgatesLatencyAtOnce", watched.p99_at_once, watched.p99_at_once_for),
        ):
            said = f"p99 of {watched.model} is above {limit:g} s"
            yield _alert(watched, name, f"{p99} > {limit:g}", hold, "critical", "model", said, "slo")


def _around(watched: Watched) -> Iterator[dict[str, Any]]:
    """Is it everything? Alertmanager silences the model's alerts while one of these fires."""
    if watched.control_requests and watched.control_errors:
        ratio = f"mlgates:control_error_ratio:rate{span(watched.window)}{_of(watched)} > {watched.errors_limit:g}"
        said = f"what runs beside {watched.model} fails too: infrastructure, not the model"
        yield _alert(watched, "MlgatesInfrastructureDown", ratio, 60, "critical", "infrastructure", said)
    if watched.who:
        gone = f"min(up{{{watched.who}}}) == 0"
        said = f"an endpoint of {watched.model} cannot be scraped, so nothing is known of it"
        yield _alert(watched, "MlgatesTargetDown", gone, 120, "critical", "infrastructure", said)
    if watched.requests:
        none = f"absent(mlgates:requests:rate5m{_of(watched)})"
        said = f"there are no figures of requests to {watched.model}: renamed, or not scraped"
        yield _alert(watched, "MlgatesMetricsAbsent", none, 300, "warning", "watcher", said, "watcher-silent")


def _gates(watched: Watched) -> Iterator[dict[str, Any]]:
    mine = _of(watched)
    looked = f'mlgates_run_timestamp_seconds{{model={quoted(watched.model)},phase="live"}}'
    silent = max(300.0, 10 * watched.every)
    expr = f"absent({looked}) or (time() - {looked} > {silent:g})"
    said = f"nobody has looked at the live gates of {watched.model} for {span(silent)}"
    yield _alert(watched, "MlgatesWatcherSilent", expr, 60, "critical", "watcher", said, "watcher-silent")
    failing = f'mlgates_gate_verdict{{model={quoted(watched.model)},phase="live",verdict="FAIL"}} == 1'
    said = "the live gate {{ $labels.gate }} of " + watched.model + " fails"
    made = _alert(watched, "MlgatesGateFailing", failing, 60, "critical", "model", said)
    made["annotations"]["runbook"] = (
        f"{watched.runbooks.rstrip('/')}/{{{{ $labels.gate }}}}.md"
        if watched.runbooks
        else "`mlgates runbook {{ $labels.gate }}`"
    )
    yield made
    worst = f'mlgates_incidents_open{{model={quoted(watched.model)},severity="SEV1"}} > 0'
    said = (
        f"an incident of the worst kind is open: a rollback of {watched.model} failed, or it serves though proven bad"
    )
    yield _alert(watched, "MlgatesWorstIncidentOpen", worst, 10, "critical", "incident", said, "rollback-failed")
    late = f"mlgates_incidents_overdue{mine} > 0"
    said = f"nobody has taken on an incident of {watched.model} in the time its severity allows"
    yield _alert(watched, "MlgatesIncidentOverdue", late, 60, "critical", "incident", said, "rollback-failed")


def _records(watched: Watched) -> Iterator[dict[str, Any]]:
    mine, model = _of(watched), watched.model
    expr = f"absent(mlgates_registry_up{mine})"
    said = f"the exporter of {model} is gone: nothing is known of its champion, gates and incidents"
    yield _alert(watched, "MlgatesExporterGone", expr, 300, "critical", "watcher", said, "watcher-silent")
    said = f"the registry of {model} does not answer: nothing can be promoted or rolled back through it"
    yield _alert(watched, "MlgatesRegistryDown", f"mlgates_registry_up{mine} == 0", 300, "critical", "registry", said)
    old = f"time() - mlgates_golden_frozen_timestamp_seconds{mine} > {watched.golden_days * _DAY:g}"
    said = f"the golden set of {model} was frozen more than {watched.golden_days:g} days ago"
    yield _alert(watched, "MlgatesGoldenStale", old, 3600, "warning", "data", said)
    spent = f"mlgates_golden_budget_spent{mine} / mlgates_golden_budget_size{mine} >= 0.8"
    said = f"the golden set of {model} has judged nearly as many challengers as it is meant for"
    yield _alert(watched, "MlgatesGoldenBudget", spent, 3600, "warning", "data", said, "golden-stale")
    differs = f'mlgates_dvc_up_to_date{{model={quoted(model)},role="golden"}} == 0'
    said = f"the golden set of {model} is not the one that its pointer pins"
    yield _alert(watched, "MlgatesGoldenChanged", differs, 300, "critical", "data", said, "golden-stale")
    differs = f'mlgates_dvc_up_to_date{{model={quoted(model)},role="data"}} == 0'
    said = "{{ $labels.file }} is not what its DVC pointer pins"
    yield _alert(watched, "MlgatesDataOutOfDate", differs, 3600, "warning", "data", said, "golden-stale")
    old = f'time() - mlgates_dvc_pinned_timestamp_seconds{{model={quoted(model)},role="data"}}'
    said = "{{ $labels.file }} was last pinned more than " + f"{watched.data_days:g} days ago"
    expr = f"{old} > {watched.data_days * _DAY:g}"
    yield _alert(watched, "MlgatesDataStale", expr, 3600, "info", "data", said, "golden-stale")
    if watched.drills:
        last = f"mlgates_drill_passed_timestamp_seconds{mine}"
        expr = f"absent({last}) or (time() - {last} > {watched.drill_days * _DAY:g})"
        said = f"no drill of {model} passed in the last {watched.drill_days:g} days"
        yield _alert(watched, "MlgatesDrillStale", expr, 3600, "warning", "drill", said)
    said = "always firing: when it stops to arrive, Prometheus or Alertmanager is what is down"
    yield _alert(watched, "MlgatesWatchdog", "vector(1)", 0, "none", "watcher", said, "watcher-silent")


def _share(errors: str, requests: str, seconds: float) -> str:
    # No failed request yet is no series at all, which is 0 and not unknown.
    return f"({rate(errors, seconds)} or vector(0)) / {rate(requests, seconds)}"


def _record(name: str, expr: str, labels: dict[str, str]) -> dict[str, Any]:
    return {"record": name, "expr": expr, "labels": labels}


#: The runbook of an alert that is not a gate's.
_RUNBOOKS = {
    "MlgatesInfrastructureDown": "infrastructure",
    "MlgatesTargetDown": "infrastructure",
    "MlgatesRegistryDown": "registry-down",
    "MlgatesGoldenStale": "golden-stale",
    "MlgatesDrillStale": "drill-stale",
}


def _alert(
    watched: Watched, name: str, expr: str, hold: float, severity: str, component: str, summary: str, book: str = ""
) -> dict[str, Any]:
    where = runbook.link(book or _RUNBOOKS.get(name, ""), watched.runbooks)
    return {
        "alert": name,
        "expr": expr,
        "for": span(hold),
        "labels": {"severity": severity, "component": component, "model": watched.model},
        "annotations": {"summary": summary, "runbook": where},
    }


def _of(watched: Watched) -> str:
    return f"{{model={quoted(watched.model)}}}"
