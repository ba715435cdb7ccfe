"""A Grafana dashboard: what serves, whether it is well, and what is known of the way back."""

from __future__ import annotations

from typing import Any

from pytest_mlgates.rules_files.watched import Watched, quoted, span

_SOURCE = {"type": "prometheus", "uid": "${source}"}


def dashboard(watched: Watched) -> dict[str, Any]:
    """The JSON that Grafana imports; the data source is chosen there."""
    of, window = f"{{model={quoted(watched.model)}}}", span(watched.window)
    panels = [
        _stat("Champion", f"mlgates_champion_info{of}", "{{version}}", "none"),
        _stat("Champion since", f"1000 * mlgates_champion_since_timestamp_seconds{of}", "", "dateTimeFromNow"),
        _stat("Open incidents", f"sum(mlgates_incidents_open{of})", "", "none", warn=1),
        _stat("Registry", f"mlgates_registry_up{of}", "", "bool_yes_no"),
        _graph("Requests a second", [(f"mlgates:requests:rate{window}{of}", "requests")], "reqps"),
        _graph(
            "Share of failed requests",
            [
                (f"mlgates:error_ratio:rate{window}{of}", watched.model),
                (f"mlgates:control_error_ratio:rate{window}{of}", "control"),
            ],
            "percentunit",
            limit=watched.errors_limit,
        ),
        _graph("p99", [(f"mlgates:latency_p99_seconds:rate{window}{of}", "p99")], "s", limit=watched.p99_limit),
        _graph(
            "Burn rate",
            [
                (f"mlgates:error_ratio:rate{span(seconds)}{of} / {1 - watched.objective:.6g}", f"over {span(seconds)}")
                for seconds in (3600.0, 21600.0)
            ],
            "none",
            limit=watched.fast,
        ),
        _graph(
            "Gates that do not pass",
            [
                (
                    f'mlgates_gate_verdict{{model={quoted(watched.model)},verdict!="PASS"}} == 1',
                    "{{phase}} {{gate}} {{verdict}}",
                )
            ],
            "none",
        ),
        _graph("What the gates measured", [(f"mlgates_gate_measure{of}", "{{gate}} {{measure}} {{where}}")], "none"),
        _stat("Last look", f"1000 * mlgates_run_timestamp_seconds{of}", "{{phase}}", "dateTimeFromNow"),
        _stat("Golden set frozen", f"1000 * mlgates_golden_frozen_timestamp_seconds{of}", "", "dateTimeFromNow"),
        _stat(
            "Golden set judged",
            f"mlgates_golden_budget_spent{of} / mlgates_golden_budget_size{of}",
            "",
            "percentunit",
            warn=0.8,
        ),
        _stat("Last drill that passed", f"1000 * mlgates_drill_passed_timestamp_seconds{of}", "", "dateTimeFromNow"),
        _graph(
            "Incident times, means",
            [
                (f"mlgates_incident_{name}_seconds_sum{of} / mlgates_incident_{name}_seconds_count{of}", name)
                for name in ("detect", "acknowledge", "restore")
            ],
            "s",
        ),
    ]
    return {
        "uid": f"mlgates-{''.join(c if c.isascii() and (c.isalnum() or c in '-_') else '-' for c in watched.model)}"[
            :40
        ],
        "title": f"{watched.model}: release gates",
        "tags": ["mlgates"],
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [{"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}]
        },
        "panels": _placed(panels),
    }


def _stat(title: str, expr: str, legend: str, unit: str, warn: float | None = None) -> dict[str, Any]:
    steps = [{"color": "green", "value": None}, *([{"color": "red", "value": warn}] if warn is not None else [])]
    return {
        "type": "stat",
        "title": title,
        "datasource": _SOURCE,
        "targets": [_target("A", expr, legend, instant=True)],
        "options": {"textMode": "name" if title == "Champion" else "auto", "reduceOptions": {"calcs": ["lastNotNull"]}},
        "fieldConfig": {
            "defaults": {"unit": unit, "thresholds": {"mode": "absolute", "steps": steps}},
            "overrides": [],
        },
    }


def _graph(title: str, queries: list[tuple[str, str]], unit: str, limit: float | None = None) -> dict[str, Any]:
    steps = [{"color": "green", "value": None}, *([{"color": "red", "value": limit}] if limit is not None else [])]
    custom = {"thresholdsStyle": {"mode": "line" if limit is not None else "off"}}
    return {
        "type": "timeseries",
        "title": title,
        "datasource": _SOURCE,
        "targets": [_target(chr(65 + number), expr, legend) for number, (expr, legend) in enumerate(queries)],
        "fieldConfig": {
            "defaults": {"unit": unit, "custom": custom, "thresholds": {"mode": "absolute", "steps": steps}},
            "overrides": [],
        },
    }


def _target(ref: str, expr: str, legend: str, instant: bool = False) -> dict[str, Any]:
    return {"refId": ref, "expr": expr, "legendFormat": legend or "__auto", "instant": instant, "datasource": _SOURCE}


def _placed(panels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Left to right, top to bottom: figures a quarter of the width, graphs a half."""
    x = y = tallest = 0
    placed = []
    for number, panel in enumerate(panels, 1):
        width, height = (6, 4) if panel["type"] == "stat" else (12, 8)
        if x + width > 24:
            x, y, tallest = 0, y + tallest, 0
        placed.append({"id": number, **panel, "gridPos": {"x": x, "y": y, "w": width, "h": height}})
        x, tallest = x + width, max(tallest, height)
    return placed
