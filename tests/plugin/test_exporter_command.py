"""`mlgates exporter` on a repository with a registry: true figures, and none when the registry is gone."""

from __future__ import annotations

import urllib.request

import pytest

from mlrepo import BETTER, Repo
from pytest_mlgates.adapters.watching.exposition import Exposition
from pytest_mlgates.cli import main
from pytest_mlgates.exporter import METRICS
from pytest_mlgates.exporter.collecting import Collecting
from pytest_mlgates.settings import load
from tests.watch.ears import ears
from tests.watch.servers import got, program, pushgateway


def test_champion_gates_and_budget_as_they_are_and_nothing_old_when_the_registry_is_gone(repo: Repo) -> None:
    repo.apply()
    collecting = Collecting(load(repo.path, {}, {}), {})
    url, stop = Exposition(collecting.samples, METRICS).serve("127.0.0.1", 0)
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            text = answer.read().decode()
        assert 'mlgates_champion_info{model="credit",run_id="' in text
        assert f'version="{BETTER}"}} 1.0' in text
        assert 'mlgates_registry_up{model="credit"} 1.0' in text
        assert 'gate="golden_regression",model="credit",phase="promotion",verdict="PASS"} 1.0' in text
        assert 'mlgates_golden_budget_spent{model="credit"} 1.0' in text
        assert 'mlgates_dvc_up_to_date{file="golden.csv",model="credit",role="golden"} 1.0' in text
        (repo.path / "mlflow.db").rename(repo.path / "gone.db")
        with urllib.request.urlopen(url, timeout=20) as answer:
            text = answer.read().decode()
        assert 'mlgates_registry_up{model="credit"} 0.0' in text
        assert 'mlgates_registry_errors_total{model="credit"} 1.0' in text
        assert "mlgates_champion" not in text
        assert "mlgates_golden_budget" not in text
        assert 'phase="promotion",verdict="PASS"} 1.0' in text, "the run is what it was, with its time beside it"
    finally:
        stop()


@pytest.mark.services
@pytest.mark.skipif(program("pushgateway") is None, reason="not installed: apt-get install prometheus-pushgateway")
def test_a_push_to_the_real_gateway_is_there_to_be_scraped(repo: Repo) -> None:
    repo.apply()
    with pushgateway(repo.path) as url:
        assert main(["exporter", "--push", url]) == 0
        kept = got(f"{url}/metrics").decode()
    assert f'version="{BETTER}"}} 1\n' in kept
    assert 'mlgates_gate_verdict{gate="golden_regression",instance="",job="mlgates",model="credit"' in kept
    assert 'mlgates_registry_up{instance="",job="mlgates",model="credit"} 1\n' in kept


def test_a_push_says_when_the_registry_did_not_answer(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    repo.apply()
    with ears() as gateway:
        assert main(["exporter", "--push", f"http://{gateway.url}"]) == 0
        (repo.path / "mlflow.db").rename(repo.path / "gone.db")
        capsys.readouterr()
        assert main(["exporter", "--push", f"http://{gateway.url}"]) == 10
    assert "the registry did not answer: registry sqlite:///mlflow.db: there is no file" in capsys.readouterr().out
    assert len(gateway.bodies) == 2
