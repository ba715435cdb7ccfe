"""The cluster goes away in the middle of a drill: that proves nothing of the way back, and is never a pass."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_mlgates import Verdict, at_most, is_true
from pytest_mlgates.adapters.kubernetes import api as kubernetes_api
from pytest_mlgates.adapters.local.cluster import keeper_of
from pytest_mlgates.errors import ActionFailed, CouldNotEvaluate
from pytest_mlgates.measure.drill import Drilled, failed_requests, rehearse, restored, was_held
from pytest_mlgates.ports import Release, Version
from pytest_mlgates.rollout.keeping import recover
from pytest_mlgates.rollout.staging import set_up
from tests.cluster import places
from tests.cluster.cast import POLICY, FileRegistry, counted, golden, outside, quiet
from tests.cluster.places import Here

ONE, TWO = Release("models:/tiny/1", "run-1"), Release("models:/tiny/2", "run-2")
ALIASES = {"champion": "1", "challenger": "2"}


@pytest.fixture
def registry(tmp_path: Path) -> FileRegistry:
    (tmp_path / "aliases.json").write_text(json.dumps(ALIASES))
    return FileRegistry(tmp_path / "aliases.json")


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Here]:
    with places.local(tmp_path) as here:
        yield here


@pytest.fixture
def serving(standin: Here, monkeypatch: pytest.MonkeyPatch) -> Here:
    monkeypatch.setattr(kubernetes_api, "PATIENCE", 0.3)
    standin.cluster.deploy(ONE)
    standin.cluster.settle(20)
    return standin


def drill(cluster: Any, registry: Any, at: str, happens: Callable[[], None]) -> Drilled:
    """A drill in which something `happens` once, at that step."""
    left = [happens]

    def step(name: str) -> None:
        if name == at and left:
            left.pop()()

    return rehearse(set_up(outside(counted(cluster, step), registry), golden(), POLICY, quiet), 1, quiet)


def verdicts(drilled: Drilled) -> tuple[Verdict, Verdict]:
    back = is_true("back")(restored(drilled)).verdict
    return back, at_most(0)(failed_requests(drilled, POLICY)).verdict


def goes_away(here: Here) -> None:
    """The API server and all that is asked through it."""
    assert here.standin is not None
    here.standin.fault = lambda _: "away"


def test_local_processes_that_end_with_their_keeper(local: Here, registry: FileRegistry, tmp_path: Path) -> None:
    def end() -> None:
        keeper = keeper_of(tmp_path / "cluster")
        assert keeper is not None
        os.kill(keeper["pid"], signal.SIGKILL)

    drilled = drill(local.cluster, registry, "after undo", end)
    assert drilled.unheld.endswith("it is gone; somebody ended it, or the process that kept it")
    assert verdicts(drilled) == (Verdict.ERROR, Verdict.INCONCLUSIVE)
    assert not drilled.left, "they were this drill's own"
    assert registry.aliases == ALIASES


def test_who_is_asked_for_a_change_may_be_gone_too(local: Here, registry: FileRegistry, tmp_path: Path) -> None:
    def end() -> None:
        keeper = keeper_of(tmp_path / "cluster")
        assert keeper is not None
        os.kill(keeper["pid"], signal.SIGKILL)
        while keeper_of(tmp_path / "cluster"):
            pass

    drilled = drill(local.cluster, registry, "before undo", end)
    assert drilled.unheld.endswith("the process that kept it has ended")
    assert verdicts(drilled)[0] is Verdict.ERROR


def test_an_api_server_that_stays_away(serving: Here, registry: FileRegistry) -> None:
    drilled = drill(serving.cluster, registry, "after deploy", lambda: goes_away(serving))
    assert "the API server of context 'standin'" in drilled.unheld
    assert "cannot be reached" in drilled.unheld
    assert verdicts(drilled) == (Verdict.ERROR, Verdict.INCONCLUSIVE)
    assert "was not put back as it was: " in drilled.left
    assert drilled.left.endswith("the next drill does that first")
    with pytest.raises(CouldNotEvaluate) as told:
        was_held(drilled)
    assert str(told.value) == f"{drilled.unheld}; {drilled.left}"
    assert registry.aliases == ALIASES, "what answers is put back"

    assert serving.standin is not None
    serving.standin.fault = lambda _: ""
    assert serving.cluster.release() == TWO
    again = drill(serving.cluster, registry, "never", lambda: None)
    assert again.restored and not again.unheld and not again.left
    assert serving.cluster.release() == ONE
    assert not recover(serving.cluster, registry, 20, quiet)


def test_an_api_server_that_comes_back_in_time(
    serving: Here, registry: FileRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is restarted, say: the pods serve on, and so does the drill."""
    monkeypatch.setattr(kubernetes_api, "PATIENCE", 10)
    refused: list[str] = []

    def away(request: str) -> str:
        proxied = "/proxy/" in request
        if not proxied and len(refused) < 4:
            refused.append(request)
        return "busy" if not proxied and len(refused) < 4 else ""

    def begin() -> None:
        assert serving.standin is not None
        serving.standin.fault = away

    drilled = drill(serving.cluster, registry, "before settle", begin)
    assert len(refused) == 4
    assert verdicts(drilled) == (Verdict.PASS, Verdict.PASS)
    was_held(drilled)


def test_a_registry_that_goes_away_proves_nothing_either(serving: Here, registry: FileRegistry) -> None:
    def gone(name: str) -> None:
        if name == "before point" and "drill" in registry.aliases:
            raise CouldNotEvaluate("the registry does not answer")

    meddled = counted(registry, gone)
    drilled = rehearse(set_up(outside(serving.cluster, meddled), golden(), POLICY, quiet), 1, quiet)
    assert drilled.unheld == "the registry does not answer"
    assert verdicts(drilled)[0] is Verdict.ERROR
    assert serving.cluster.release() == ONE


@pytest.mark.parametrize("step", ["find", "point"])
def test_nor_one_that_goes_away_after_the_dummy_serves(serving: Here, registry: FileRegistry, step: str) -> None:
    gone: list[str] = []
    once = ["before settle"]

    class Gone(FileRegistry):
        def find(self, reference: str) -> Version | None:
            self.answer("find")
            return super().find(reference)

        def point(self, alias: str, version: Version) -> None:
            self.answer("point")
            super().point(alias, version)

        def answer(self, name: str) -> None:
            if gone and name == step:
                gone.clear()
                raise CouldNotEvaluate("the registry does not answer")

    def begin(name: str) -> None:
        if name in once:
            gone.append(once.pop())

    cluster = counted(serving.cluster, begin)
    drilled = rehearse(set_up(outside(cluster, Gone(registry.file)), golden(), POLICY, quiet), 1, quiet)
    assert drilled.unheld == "the registry does not answer"
    assert not drilled.trouble and not drilled.left
    assert registry.aliases == ALIASES


def test_what_may_not_be_removed_is_left_and_told(serving: Here, registry: FileRegistry) -> None:
    def refuse() -> None:
        raise ActionFailed("cannot remove ReplicaSet scorer-1: 403 Forbidden")

    drilled = drill(serving.cluster, registry, "before clean", refuse)
    assert drilled.restored and not drilled.unheld
    assert "was not put back as it was: cannot remove ReplicaSet scorer-1: 403 Forbidden" in drilled.left
    with pytest.raises(CouldNotEvaluate, match="was not put back"):
        was_held(drilled)


def test_another_drill_takes_over(serving: Here, registry: FileRegistry) -> None:
    def take() -> None:
        other = serving.open()
        assert other.leave("mine now", instead_of=other.note())

    drilled = drill(serving.cluster, registry, "before settle", take)
    assert "another drill has taken" in drilled.unheld
    assert "another drill has taken" in drilled.left
    assert verdicts(drilled)[0] is Verdict.ERROR
