"""What the exporter tells: anew each time, by the conventions, and nothing where nothing is known."""

from __future__ import annotations

import math
import re
import subprocess
import urllib.request
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.adapters.golden.dvc_tracked import DvcTracked
from pytest_mlgates.adapters.watching.exposition import Exposition
from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.exporter import METRICS, Facts, Sample, Tracked, samples
from pytest_mlgates.incident import Event, Kind, incidents, stamped
from pytest_mlgates.ledger import Entry, record, replay
from pytest_mlgates.ledger import Kind as Did
from pytest_mlgates.ledger import facts as told

from .ears import ears

NOW = 1_800_000_000.0
RUN = {
    "finished_at": NOW - 30,
    "action": "KEEP",
    "gates": [
        {
            "name": "slo",
            "verdict": "PASS",
            "measured": [
                {"measure": "errors", "where": "", "unit": "", "value": 0.004},
                {"measure": "errors", "where": "", "unit": "", "value": 0.9},
                {"measure": "p99", "where": "", "unit": "ms", "value": "NaN"},
                {"measure": "worst", "where": "", "unit": "", "value": "Infinity"},
                {"measure": "nothing", "where": "", "unit": "", "value": None},
            ],
        }
    ],
}


def by_name(facts: Facts) -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = {}
    for sample in samples(facts):
        found.setdefault(sample.name, []).append(sample)
    return found


def ledger():
    entries = [
        Entry(Did.GENESIS, "ada", to="1", time=stamped(NOW - 900)),
        Entry(Did.PROMOTE, "ada", "1", "2", 1, "better", "r2", golden="m", to_digest="d2", time=stamped(NOW - 600)),
        Entry(Did.DRILL, "ada", after=2, reason="PASS on local: fine", time=stamped(NOW - 500)),
        Entry(Did.DRILL, "ada", after=2, reason="FAIL on local: slow", time=stamped(NOW - 400)),
    ]
    return replay(record(number, told(entry)) for number, entry in enumerate(entries, 1))


def test_a_whole_collection() -> None:
    begun = Event(1, Kind.OPENED, stamped(NOW - 7200), "w", "x", model="churn", severity="SEV2", source="live")
    over = Event(1, Kind.CLOSED, stamped(NOW - 7000), "w", "green")
    late = Event(2, Kind.OPENED, stamped(NOW - 7200), "w", "x", model="churn", severity="SEV1", source="live")
    other = Event(3, Kind.OPENED, stamped(NOW - 60), "w", "x", model="other", severity="SEV1", source="live")
    found = by_name(
        Facts(
            "churn",
            NOW,
            ledger(),
            3,
            {"live": RUN},
            [Tracked("golden.csv", "golden", 10, NOW - 86400, True), Tracked("train.csv", "data", None, None, None)],
            "m",
            20,
            incidents([begun, over, late, other]).values(),
        )
    )
    assert set(found) <= {metric.name for metric in METRICS}

    def value(name: str, **labels: str) -> float:
        (one,) = [s for s in found[name] if s.labels == {"model": "churn", **labels}]
        return one.value

    assert value("mlgates_registry_up") == 1
    assert value("mlgates_registry_errors_total") == 3
    assert value("mlgates_champion_info", version="2", run_id="r2") == 1
    assert value("mlgates_champion_since_timestamp_seconds") == NOW - 600
    assert value("mlgates_ledger_entries", kind="drill") == 2
    assert value("mlgates_drill_timestamp_seconds") == NOW - 400
    assert value("mlgates_drill_passed_timestamp_seconds") == NOW - 500, "a failed drill is no proof of a way back"
    assert value("mlgates_golden_budget_spent") == 1
    assert value("mlgates_golden_frozen_timestamp_seconds") == NOW - 86400
    assert value("mlgates_run_timestamp_seconds", phase="live") == NOW - 30
    assert value("mlgates_gate_verdict", phase="live", gate="slo", verdict="PASS") == 1
    assert value("mlgates_gate_verdict", phase="live", gate="slo", verdict="FAIL") == 0
    measured = {s.labels["measure"]: s.value for s in found["mlgates_gate_measure"]}
    assert measured == {"errors": 0.004, "worst": math.inf}, "what is not known is left out"
    assert [s.labels["file"] for s in found["mlgates_dvc_up_to_date"]] == ["golden.csv"]
    assert value("mlgates_incidents_open", severity="SEV1") == 1
    assert value("mlgates_incidents_open", severity="SEV2") == 0
    assert value("mlgates_incidents_overdue") == 1
    (restored,) = found["mlgates_incident_restore_seconds"]
    assert (restored.count, restored.value) == (1, 200)


def test_without_the_registry_nothing_of_it_is_told_but_that_it_is_down() -> None:
    found = by_name(Facts("churn", NOW, None, 7, incidents=None))
    assert {name: [s.value for s in told] for name, told in found.items()} == {
        "mlgates_registry_up": [0],
        "mlgates_registry_errors_total": [7],
        "mlgates_incidents_up": [0],
    }


@given(st.text(), st.text())
def test_names_of_any_kind_are_served_so_that_they_can_be_read(model: str, where: str) -> None:
    run = {
        **RUN,
        "gates": [
            {"name": "g", "verdict": "PASS", "measured": [{"measure": "m", "where": where, "unit": "", "value": 1.0}]}
        ],
    }
    from prometheus_client import generate_latest
    from prometheus_client.parser import text_string_to_metric_families

    model, where = (text.encode("utf-8", "replace").decode() for text in (model, where))
    found = samples(Facts(model, NOW, None, runs={"live": run}))
    text = generate_latest(Exposition(lambda: found, METRICS)._registry()).decode()
    read = [s for family in text_string_to_metric_families(text) for s in family.samples]
    assert {s.labels["model"] for s in read} == {model}


def test_every_name_follows_the_conventions() -> None:
    for metric in METRICS:
        assert re.fullmatch(r"mlgates_[a-z_]+", metric.name)
        assert (metric.kind == "counter") == metric.name.endswith("_total")
        if "timestamp" in metric.name or metric.kind == "summary":
            assert metric.name.endswith("_seconds")
        assert not metric.name.endswith(("_ms", "_age", "_kb"))


def scrape(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def test_each_answer_is_collected_anew() -> None:
    values = [1.0, 0.0]
    exposition = Exposition(lambda: [Sample("mlgates_registry_up", {"model": "churn"}, values.pop(0))], METRICS)
    url, stop = exposition.serve("127.0.0.1", 0)
    try:
        assert 'mlgates_registry_up{model="churn"} 1.0' in scrape(url)
        assert 'mlgates_registry_up{model="churn"} 0.0' in scrape(url)
    finally:
        stop()


def test_a_push_replaces_what_the_gateway_knows_of_the_model() -> None:
    exposition = Exposition(lambda: [Sample("mlgates_registry_up", {"model": "churn"}, 1.0)], METRICS)
    with ears() as gateway:
        exposition.push(f"http://{gateway.url}", "churn", 5)
        assert gateway.paths == ["/metrics/job/mlgates/model/churn"]
        assert "mlgates_registry_up" in gateway.bodies[0]
        gateway.status = 500
        with pytest.raises(CouldNotEvaluate, match="did not take the figures: HTTP Error 500"):
            exposition.push(f"http://{gateway.url}", "churn", 5)


def test_a_port_that_is_taken_is_one_sentence() -> None:
    with ears() as taken, pytest.raises(UsageError, match="cannot be listened on"):
        Exposition(list, METRICS).serve("127.0.0.1", int(taken.url.rpartition(":")[2]))


def test_what_dvc_tracks(tmp_path: Path) -> None:
    import hashlib

    def pin(name: str, data: bytes, now: bytes | None) -> None:
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        (tmp_path / f"{name}.dvc").write_text(f"outs:\n- md5: {md5}\n  size: {len(data)}\n  path: {name}\n")
        if now is not None:
            (tmp_path / name).write_bytes(now)

    pin("same", b"abc", b"abc")
    pin("other", b"abc", b"abd")
    pin("longer", b"abc", b"abcd")
    pin("absent", b"abc", None)
    (tmp_path / "broken.dvc").write_text("outs: 3")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "same.dvc"], cwd=tmp_path, check=True)
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", *who, "commit", "-qm", "x"], cwd=tmp_path, check=True)
    tracked = DvcTracked(tmp_path)
    found = {one.path.name: one for one in tracked.all()}
    assert {name: one.same for name, one in found.items()} == {
        "same": True,
        "other": False,
        "longer": False,
        "absent": None,
    }
    assert found["same"].size == 3
    assert found["same"].pinned is not None
    assert found["other"].pinned is None, "not committed"
    (tmp_path / "same").write_bytes(b"xyz")
    assert {one.path.name: one.same for one in tracked.all()}["same"] is False
