"""The generated rules: checked by promtool, each alert firing when it should and not otherwise; routes by amtool."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from pytest_mlgates.incident import runbook
from pytest_mlgates.rules_files import FILES, Watched, files
from pytest_mlgates.rules_files.alerts import alerts
from pytest_mlgates.rules_files.cases import cases, concrete
from tests.commands.shell import here

SHIPPED = Path(__file__).parents[2] / "ci" / "prometheus"
SETTINGS = """
[tool.mlgates]
model = "churn"
golden = "golden.parquet"
label = "y"
task = "binary"
[tool.mlgates.prometheus]
url = "http://prometheus:9090"
champion = 'job="churn"'
control = 'job="search"'
[tool.mlgates.cluster]
kind = "local"
"""


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: apt-get install prometheus prometheus-alertmanager")
    return found


def said(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """`mlgates rules` in a repository that names a champion, a control and a cluster."""
    (tmp_path / "pyproject.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    code, out, err = here(capsys, "rules", "--out", "made")
    assert (code, err) == (0, "")
    assert out.startswith("written to made: mlgates.rules.yml, ")
    return tmp_path / "made"


def test_the_shipped_example_is_what_the_command_makes(written: Path) -> None:
    if "MLGATES_TEST_WRITE_DOCS" in os.environ:
        shutil.copytree(written, SHIPPED, dirs_exist_ok=True)
    for name in FILES:
        assert (SHIPPED / name).read_text() == (written / name).read_text(), "MLGATES_TEST_WRITE_DOCS=1 writes it"


def test_promtool_finds_the_rules_right(written: Path) -> None:
    assert "SUCCESS" in said(tool("promtool"), "check", "rules", "mlgates.rules.yml", cwd=written)
    assert "SUCCESS" in said(tool("promtool"), "check", "config", "prometheus.yml", cwd=written)


def test_every_alert_fires_when_it_should_and_not_otherwise(written: Path) -> None:
    assert "SUCCESS" in said(tool("promtool"), "test", "rules", "mlgates.rules.test.yml", cwd=written)
    tests = yaml.safe_load((written / "mlgates.rules.test.yml").read_text())["tests"]
    asked = [one for test in tests for one in test["alert_rule_test"]]
    fired = {one["alertname"] for one in asked if one["exp_alerts"]}
    quiet = {one["alertname"] for one in asked if not one["exp_alerts"]}
    rules = yaml.safe_load((written / "mlgates.rules.yml").read_text())
    names = {rule["alert"] for group in rules["groups"] for rule in group["rules"] if "alert" in rule}
    assert fired == names
    assert quiet == names - {"MlgatesWatchdog"}, "the watchdog always fires"


def test_a_rule_that_is_changed_is_found_by_its_tests(written: Path) -> None:
    file, tests = written / "mlgates.rules.yml", written / "mlgates.rules.test.yml"
    few = yaml.safe_load(tests.read_text())
    few["tests"] = [t for t in few["tests"] if t["alert_rule_test"][0]["alertname"] == "MlgatesErrorsHigh"]
    tests.write_text(yaml.safe_dump(few))
    for before, after in (('rate1m{model="churn"} > 0.02\n', 'rate1m{model="churn"} > 0.5\n'), ("for: 5m", "for: 1m")):
        text = file.read_text()
        assert before in text
        file.write_text(text.replace(before, after))
        done = subprocess.run(
            [tool("promtool"), "test", "rules", "mlgates.rules.test.yml"], cwd=written, capture_output=True, check=False
        )
        assert done.returncode != 0, (before, after)
        file.write_text(text)


def test_every_alert_says_how_bad_of_which_part_why_and_where_its_runbook_is(written: Path) -> None:
    for rule in yaml.safe_load((written / "mlgates.rules.yml").read_text())["groups"][1]["rules"]:
        assert re.fullmatch(r"\d+[smhd]", rule["for"])
        assert rule["labels"]["severity"] in ("critical", "warning", "info", "none")
        assert rule["labels"]["component"]
        assert rule["labels"]["model"] == "churn"
        assert rule["annotations"]["summary"]
        name = re.fullmatch(r"`mlgates runbook (.+)`", rule["annotations"]["runbook"])
        assert name is not None
        assert name[1] in (*runbook.names(), "{{ $labels.gate }}")


def test_runbooks_are_linked_where_they_are_published() -> None:
    made = list(alerts(Watched("churn", runbooks="https://wiki.example/books/")))
    links = {rule["annotations"]["runbook"] for rule in made}
    assert "https://wiki.example/books/watcher-silent.md" in links
    assert "https://wiki.example/books/{{ $labels.gate }}.md" in links


def test_amtool_finds_the_routes_right_and_sends_each_alert_where_it_belongs(written: Path) -> None:
    amtool = tool("amtool")
    assert "SUCCESS" in said(amtool, "check-config", "alertmanager.yml", cwd=written)

    def receivers(**labels: str) -> set[str]:
        told = [f"{key}={value}" for key, value in labels.items()]
        out = said(amtool, "config", "routes", "test", "--config.file=alertmanager.yml", *told, cwd=written)
        return set(out.strip().split(","))

    assert receivers(severity="critical", component="model", model="churn") == {"mlgates-webhook", "pager", "chat"}
    assert receivers(severity="critical", component="registry") == {"pager", "chat"}
    assert receivers(severity="warning", component="model") == {"chat"}
    assert receivers(severity="none", alertname="MlgatesWatchdog") == {"dead-mans-switch"}


def test_an_outage_silences_the_models_alerts_and_not_the_other_way_round(written: Path) -> None:
    rules = yaml.safe_load((written / "alertmanager.yml").read_text())["inhibit_rules"]
    assert rules[0] == {
        "source_matchers": ['component="infrastructure"', 'severity="critical"'],
        "target_matchers": ['component="model"'],
        "equal": ["model"],
    }


def test_no_secret_is_in_the_files(written: Path) -> None:
    text = (written / "alertmanager.yml").read_text()
    assert "credentials_file: /etc/alertmanager/secrets/mlgates-token" in text
    assert "hooks.slack.com" not in text


def test_the_dashboard_asks_only_for_what_is_recorded_or_exported(written: Path) -> None:
    board = json.loads((written / "dashboard.json").read_text())
    asked = {
        name
        for panel in board["panels"]
        for target in panel["targets"]
        for name in re.findall(r"mlgates[:_][\w:]+", target["expr"])
    }
    rules = yaml.safe_load((written / "mlgates.rules.yml").read_text())
    recorded = {rule["record"] for rule in rules["groups"][0]["rules"]}
    from pytest_mlgates.exporter.names import NAMES

    assert asked <= recorded | NAMES
    places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in board["panels"]]
    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in board["panels"]}) == len(places)


def test_rules_ask_only_for_what_is_exported() -> None:
    from pytest_mlgates.exporter.names import NAMES

    told = " ".join(rule["expr"] for rule in alerts(Watched("churn", drills=True)))
    assert set(re.findall(r"mlgates_\w+", told)) <= NAMES


def test_without_a_service_in_prometheus_there_are_rules_about_the_rest() -> None:
    made = {rule["alert"] for rule in alerts(Watched("churn"))}
    assert "MlgatesErrorsHigh" not in made
    assert {"MlgatesWatcherSilent", "MlgatesRegistryDown", "MlgatesWatchdog"} <= made


@pytest.mark.parametrize("model", ['chu"rn', "chu\\rn", "kündigung", "a b", "{x}", "{{ $value }}"])
def test_a_model_with_an_odd_name(model: str, tmp_path: Path) -> None:
    for name, text in files(Watched(model, requests="r_total", errors='r_total{code=~"5.."}')).items():
        (tmp_path / name).write_text(text)
    said(tool("promtool"), "check", "rules", "mlgates.rules.yml", cwd=tmp_path)


@pytest.mark.parametrize(
    ("query", "series"),
    [
        ('http_total{job="a",code=~"5.."}', 'http_total{job="a",code="500"}'),
        ("http_total", "http_total{}"),
        ('x{le=~".+"}', 'x{le="500"}'),
        ("sum(rate(x[5m]))", ""),
        ('x{code=~"("}', ""),
        ('x{code=~"[xyz]{9}"}', ""),
    ],
)
def test_a_series_is_made_up_where_it_can_be(query: str, series: str) -> None:
    assert concrete(query) == series


def test_queries_that_are_no_selectors_have_rules_but_no_made_up_tests(tmp_path: Path) -> None:
    own = Watched("churn", requests="a_total + b_total", errors="a_errors_total", latency_p99="my_p99")
    assert not [t for t in cases(own)["tests"] if t["alert_rule_test"][0]["alertname"] == "MlgatesErrorsHigh"]
    for name, text in files(own).items():
        (tmp_path / name).write_text(text)
    said(tool("promtool"), "check", "rules", "mlgates.rules.yml", cwd=tmp_path)


def test_a_file_of_ones_own_is_not_overwritten(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (written / "alertmanager.yml").write_text("route: {receiver: mine}\n")
    code, _, err = here(capsys, "rules", "--out", "made")
    assert code == 2
    assert err == (
        "mlgates rules: made/alertmanager.yml was not made by this command: move it away, or choose another --out\n"
    )
