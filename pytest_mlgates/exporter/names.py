"""Every exported metric: its name by Prometheus' conventions, its kind, its labels, and what it means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Metric:
    """Every metric has the label `model` as well. A summary has `name`_count and `name`_sum."""

    name: str
    kind: Literal["gauge", "counter", "summary"]
    meaning: str
    labels: tuple[str, ...] = ()


METRICS = (
    Metric("mlgates_registry_up", "gauge", "1 when the registry answered this collection, else 0"),
    Metric("mlgates_registry_errors_total", "counter", "Collections that the registry did not answer, since the start"),
    Metric("mlgates_champion_info", "gauge", "1; which version is champion", ("version", "run_id")),
    Metric("mlgates_champion_since_timestamp_seconds", "gauge", "When the champion became it"),
    Metric("mlgates_ledger_entries", "gauge", "Entries of the ledger", ("kind",)),
    Metric("mlgates_run_timestamp_seconds", "gauge", "When a phase was last judged", ("phase",)),
    Metric("mlgates_run_action", "gauge", "1; what the last run of a phase decided", ("phase", "action")),
    Metric(
        "mlgates_gate_verdict",
        "gauge",
        "1 for a gate's verdict in the last run, 0 for others",
        ("phase", "gate", "verdict"),
    ),
    Metric("mlgates_gate_measure", "gauge", "What a gate measured", ("phase", "gate", "measure", "where", "unit")),
    Metric("mlgates_golden_frozen_timestamp_seconds", "gauge", "When the golden set was pinned last"),
    Metric("mlgates_golden_budget_spent", "gauge", "Distinct challengers judged on the golden set"),
    Metric("mlgates_golden_budget_size", "gauge", "How many it is meant for"),
    Metric("mlgates_dvc_tracked_bytes", "gauge", "Size of a tracked file or folder, as pinned", ("file", "role")),
    Metric("mlgates_dvc_pinned_timestamp_seconds", "gauge", "When a pointer was committed last", ("file", "role")),
    Metric("mlgates_dvc_up_to_date", "gauge", "1 when the file is what its pointer pins, else 0", ("file", "role")),
    Metric("mlgates_drill_timestamp_seconds", "gauge", "When the last drill was held, whatever came of it"),
    Metric("mlgates_drill_passed_timestamp_seconds", "gauge", "When the last drill that passed was held"),
    Metric("mlgates_incidents_open", "gauge", "Incidents that are not closed", ("severity",)),
    Metric("mlgates_incidents_total", "counter", "Incidents on record", ("severity", "source")),
    Metric("mlgates_incidents_overdue", "gauge", "Incidents nobody has taken on in the time their severity allows"),
    Metric("mlgates_incident_detect_seconds", "summary", "From when trouble began until an incident was opened"),
    Metric("mlgates_incident_acknowledge_seconds", "summary", "From opened until somebody took it on"),
    Metric("mlgates_incident_restore_seconds", "summary", "From opened until service was restored"),
    Metric("mlgates_incidents_up", "gauge", "1 when the incident file can be read, else 0"),
)

#: As they appear in queries.
NAMES = frozenset(
    name
    for metric in METRICS
    for name in ((f"{metric.name}_count", f"{metric.name}_sum") if metric.kind == "summary" else (metric.name,))
)
