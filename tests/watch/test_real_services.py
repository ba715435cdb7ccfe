"""The real Pushgateway takes every figure of ours, and the real Alertmanager is silent where it should be."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_mlgates.adapters.watching.exposition import Exposition
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.exporter import METRICS, Sample
from pytest_mlgates.rules_files.routes import routes
from tests.watch.ears import Heard, ears
from tests.watch.servers import alertmanager, free_port, got, program, pushgateway, until

pytestmark = pytest.mark.services


@pytest.mark.skipif(program("pushgateway") is None, reason="not installed: apt-get install prometheus-pushgateway")
def test_the_pushgateway_takes_every_metric_and_keeps_only_the_last_of_a_model(tmp_path: Path) -> None:
    """It refuses what is no exposition, or has a series twice: all of ours, hostile names included."""
    told = {"version": "1"}
    awkward = 'a "quoted" \\ name\nof two lines, and é'

    def every(model: str) -> list[Sample]:
        return [
            Sample(
                metric.name, {"model": model, **{label: told.get(label, awkward) for label in metric.labels}}, 1.5, 2
            )
            for metric in METRICS
        ]

    with pushgateway(tmp_path) as url:
        for model in ("churn", "credit risk/v2", awkward):
            Exposition(lambda model=model: every(model), METRICS).push(url, model, 10)
        kept = got(f"{url}/metrics").decode()
        for metric in METRICS:
            series = f"{metric.name}_sum" if metric.kind == "summary" else metric.name
            assert kept.count(f"\n{series}{{") == 3, metric.name
        up = [Sample("mlgates_registry_up", {"model": "churn"}, 0.0)]
        Exposition(lambda: up, METRICS).push(url, "churn", 10)
        now = [line for line in got(f"{url}/metrics").decode().splitlines() if 'model="churn"' in line]
        ours = [line for line in now if line.startswith("mlgates_")]
        assert len(ours) == 1 and ours[0].startswith("mlgates_registry_up{") and ours[0].endswith("} 0")

        twice = [Sample("mlgates_registry_up", {"model": "churn"}, 1.0)] * 2
        with pytest.raises(
            CouldNotEvaluate, match=f"the Pushgateway at {url} did not take the figures: HTTP Error 400"
        ):
            Exposition(lambda: twice, METRICS).push(url, "churn", 10)
    with pytest.raises(CouldNotEvaluate, match="did not take the figures"):
        Exposition(lambda: up, METRICS).push(url, "churn", 10)


@pytest.fixture
def people(tmp_path: Path) -> Iterator[tuple[str, dict[str, Heard]]]:
    """An Alertmanager with our routes, whose groups wait a second instead of ten, and who hears of it."""
    with ears() as chat, ears() as pager, ears() as hook:
        (tmp_path / "mlgates-token").write_text("a token of some length")
        config = routes(
            webhook_url=f"http://{hook.url}/alerts",
            secrets=str(tmp_path),
            chat=[{"url": f"http://{chat.url}/chat"}],
            pager=[{"url": f"http://{pager.url}/pager"}],
        )
        config["route"]["group_wait"] = "1s"
        with alertmanager(tmp_path, config, free_port()) as url:
            yield url, {"chat": chat, "pager": pager, "hook": hook}


def post(url: str, *alerts: dict[str, str]) -> None:
    body = json.dumps([{"labels": labels} for labels in alerts]).encode()
    asked = urllib.request.Request(f"{url}/api/v2/alerts", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=5) as answer:
        assert answer.status == 200


def heard(who: Heard) -> set[str]:
    """Which alerts somebody has heard of, by name and model."""
    bodies: list[Any] = who.bodies
    return {f"{a['labels']['alertname']} of {a['labels']['model']}" for body in bodies for a in body["alerts"]}


def alert(name: str, severity: str, component: str, model: str = "churn") -> dict[str, str]:
    return {"alertname": name, "severity": severity, "component": component, "model": model}


@pytest.mark.skipif(program("alertmanager") is None, reason="not installed: apt-get install prometheus-alertmanager")
def test_an_outage_silences_its_models_alerts_and_what_is_critical_reaches_pager_and_chat(
    people: tuple[str, dict[str, Heard]],
) -> None:
    url, who = people
    outage = alert("MlgatesEverythingIsSlow", "critical", "infrastructure")
    post(url, outage)
    assert who["pager"].came.wait(30) and who["chat"].came.wait(30)
    # Of this model silenced, of another one not; and of one part of one model the critical one speaks for the rest.
    post(
        url,
        alert("MlgatesErrorsHigh", "critical", "model"),
        alert("MlgatesErrorsHigh", "critical", "model", "other"),
        alert("MlgatesScoresDrift", "warning", "model", "other"),
    )
    assert who["hook"].came.wait(30), "another model's alert leads to a look"
    # What comes last is told last: until then everything else that is told has been.
    post(url, alert("MlgatesErrorsHigh", "critical", "model", "last"))
    told = {"MlgatesEverythingIsSlow of churn", "MlgatesErrorsHigh of other", "MlgatesErrorsHigh of last"}
    for name in who:
        until(lambda name=name: "MlgatesErrorsHigh of last" in heard(who[name]), 30, f"{name} hears of the last")
    states = {
        f"{one['labels']['alertname']} of {one['labels']['model']}": one["status"]["state"]
        for one in json.loads(got(f"{url}/api/v2/alerts"))
    }
    assert states == {
        "MlgatesEverythingIsSlow of churn": "active",
        "MlgatesErrorsHigh of churn": "suppressed",
        "MlgatesErrorsHigh of other": "active",
        "MlgatesErrorsHigh of last": "active",
        "MlgatesScoresDrift of other": "suppressed",
    }
    assert heard(who["pager"]) == heard(who["chat"]) == told
    looked_into = {"MlgatesErrorsHigh of other", "MlgatesErrorsHigh of last"}
    assert heard(who["hook"]) == looked_into, "no look, so no rollback, in somebody else's outage"
