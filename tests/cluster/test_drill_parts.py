"""The parts of a drill by themselves: figures, freshness, the note on the workload, and who it is left to."""

from __future__ import annotations

import dataclasses
import datetime
import json
import math
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates import Verdict, at_most, is_true
from pytest_mlgates.adapters.load.drill_load import DrillLoad
from pytest_mlgates.adapters.serving.lease import Lease, mine
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.measure.drill import Drilled, failed_requests, freshness, p95, rehearse, restored, time_to_restore
from pytest_mlgates.policy import ClusterSettings, RollbackDrill
from pytest_mlgates.ports import Asked, Call, Release, Version
from pytest_mlgates.rollout.keeping import Keeping, Note, recover
from pytest_mlgates.rollout.staging import ask_both, set_up
from pytest_mlgates.wires.alike import alike
from tests.cluster import places
from tests.cluster.cast import POLICY, FileRegistry, counted, golden, outside, quiet
from tests.cluster.places import Here

NOW = datetime.datetime(2026, 5, 31, 12, tzinfo=datetime.UTC)
LOCAL = ClusterSettings()
RUN = "run `pytest --mlgate --mlgate-phase drill --mlgate-record`"


def days_ago(days: float) -> str:
    return (NOW - datetime.timedelta(days=days)).isoformat()


class TestFreshness:
    @pytest.mark.parametrize(
        ("when", "told", "verdict", "sentence"),
        [
            ("", "", "INCONCLUSIVE", f"no drill is on record: {RUN}"),
            (days_ago(3), "PASS on local processes (x): ok", "PASS", "the last drill passed on local processes (x), 3"),
            (
                days_ago(30.9),
                "PASS on local processes (x): ok",
                "PASS",
                "the last drill passed on local processes (x), 30",
            ),
            (days_ago(31), "PASS on local processes (x): ok", "INCONCLUSIVE", "2026-04-30, 31 days ago"),
            (days_ago(-3), "PASS on local processes (x): ok", "INCONCLUSIVE", "-3 days ago"),
            (days_ago(1), "FAIL on local processes (x): why", "FAIL", "failed: FAIL on local processes (x): why"),
            (days_ago(1), "ERROR on local processes (x): why", "INCONCLUSIVE", "proved nothing"),
            (days_ago(1), "INCONCLUSIVE on no cluster: why", "INCONCLUSIVE", "proved nothing"),
            (
                days_ago(1),
                "PASS on Kubernetes v1 (c: n/d): ok",
                "INCONCLUSIVE",
                "on Kubernetes v1 (c: n/d), not on this cluster",
            ),
            (days_ago(1), "whatever", "FAIL", "failed: whatever"),
            ("yesterday", "PASS on local processes (x): ok", "INCONCLUSIVE", "no drill is on record"),
            ("2026-05-30", "PASS on local processes (x): ok", "INCONCLUSIVE", "no drill is on record"),
        ],
    )
    def test_what_the_last_drill_says(self, when: str, told: str, verdict: str, sentence: str) -> None:
        finding = is_true("fresh")(freshness((when, told), LOCAL, 31, NOW))
        assert finding.verdict.name == verdict
        assert sentence in finding.sentence


class TestFigures:
    def asked(self, **keys: Any) -> Asked:
        told = {"sent": 400, "failed": 0, "right": {}, "faults": {}, "first": (), "seconds": 20.0, "lateness": 0.0}
        return Asked(**{**told, **keys})

    def test_the_95th_percentile_of_few_is_the_longest(self) -> None:
        assert p95([]) is None
        assert p95([3.0, 1.0, 2.0]) == 3.0
        assert p95([float(n) for n in range(1, 21)]) == 19.0

    def test_one_failed_request_fails(self) -> None:
        drilled = Drilled("here", asked=self.asked(failed=1, faults={"status 503: ": 1}))
        assert at_most(0)(failed_requests(drilled, POLICY)).verdict is Verdict.FAIL

    def test_what_was_not_asked_cannot_have_failed(self) -> None:
        policy = RollbackDrill(rate=20.0)
        drilled = Drilled("here", asked=self.asked(sent=300))
        finding = at_most(0)(failed_requests(drilled, policy))
        assert finding.verdict is Verdict.INCONCLUSIVE
        assert "only 300 of about 400 questions were asked: the machine is too busy" in finding.sentence
        assert at_most(0)(failed_requests(Drilled("here"), policy)).verdict is Verdict.ERROR
        assert at_most(0)(failed_requests(Drilled("here", asked=self.asked(sent=0, seconds=0)), policy)).verdict > 0

    def test_a_drill_that_broke_off_was_no_way_back(self) -> None:
        rule = is_true("back")
        assert rule(restored(Drilled("here"))).verdict is Verdict.FAIL
        assert rule(restored(Drilled("here", restored=True, trouble="x"))).verdict is Verdict.FAIL
        assert rule(restored(Drilled("here", restored=True, restores=[1.0]))).verdict is Verdict.PASS
        assert rule(restored(Drilled("here", restored=True, restores=[1.0], unheld="x"))).verdict is Verdict.ERROR
        assert rule(restored(Drilled("here", trouble="x", unheld="y"))).verdict is Verdict.FAIL
        assert at_most(9)(time_to_restore(Drilled("here"))).verdict is Verdict.ERROR


class TestAlike:
    @given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9), st.floats(-3, 3))
    def test_numbers_are_alike_within_the_tolerance_of_their_size(self, value: float, share: float) -> None:
        found = value * (1 + share * 0.0001)
        assert alike(found, value, 0.0001) == (abs(found - value) <= 0.0001 * abs(value))

    @pytest.mark.parametrize(
        ("found", "expected"),
        [
            (math.nan, math.nan),
            (math.inf, math.inf),
            (True, 1),
            (1, True),
            ("1", 1),
            (None, 0),
            ([1.0], [1.0, 2.0]),
            (1.0, [1.0]),
            ([1.0, math.nan], [1.0, 2.0]),
        ],
    )
    def test_what_is_never_alike(self, found: Any, expected: Any) -> None:
        assert not alike(found, expected, 0.5)

    def test_lists_labels_and_whole_numbers(self) -> None:
        assert alike([[1, 2.0], "yes"], [[1.0, 2], "yes"], 0.0001)


class TestTheNote:
    @pytest.fixture
    def here(self, tmp_path: Path) -> Iterator[Here]:
        with places.local(tmp_path, lasting=True) as made:
            made.cluster.deploy(Release("models:/tiny/1", "run-1"))
            made.cluster.settle(20)
            yield made

    @pytest.fixture
    def registry(self, tmp_path: Path) -> FileRegistry:
        (tmp_path / "aliases.json").write_text(json.dumps({"champion": "1", "challenger": "2", "drill": "3"}))
        return FileRegistry(tmp_path / "aliases.json")

    def left(self, **keys: Any) -> Note:
        told: dict[str, Any] = {
            "mark": "drill-0",
            "host": socket.gethostname(),
            "pid": 1,
            "started": "long ago",
            "until": time.time() + 60,
            "alias": "drill",
            "before": "3",
            "moved_to": ("1", "2"),
            "original": Release("models:/tiny/1", "run-1"),
            "step": "to the dummy",
        }
        return Note(**{**told, **keys})

    def test_a_dead_drill_is_put_right(self, here: Here, registry: FileRegistry) -> None:
        here.cluster.deploy(Release("models:/tiny/2", "run-2"), "drill-0")
        registry.point("drill", registry.find("2"))  # type: ignore[arg-type]
        assert here.cluster.leave(self.left().text(), instead_of="")
        said: list[str] = []
        assert recover(here.cluster, registry, 20, said.append)
        assert said[-1] == "put right what a drill left that ended while it was to the dummy"
        assert here.cluster.release() == Release("models:/tiny/1", "run-1")
        assert [one.mark for one in here.cluster.revisions()] == [""]
        assert registry.aliases["drill"] == "3"
        assert here.cluster.note() == ""
        assert not recover(here.cluster, registry, 20, quiet)

    def test_one_that_still_runs_here_is_left_alone(self, here: Here, registry: FileRegistry) -> None:
        parent = Lease.of(os.getppid())
        note = self.left(pid=parent.pid, started=parent.started)
        assert here.cluster.leave(note.text(), instead_of="")
        with pytest.raises(CouldNotEvaluate, match=f"already: process {parent.pid} here, to the dummy"):
            recover(here.cluster, registry, 20, quiet)
        assert here.cluster.note() == note.text()

    def test_one_elsewhere_is_dead_only_after_its_time(self, here: Here, registry: FileRegistry) -> None:
        note = self.left(host="elsewhere")
        assert here.cluster.leave(note.text(), instead_of="")
        with pytest.raises(CouldNotEvaluate, match="a process on elsewhere"):
            recover(here.cluster, registry, 20, quiet)
        late = dataclasses.replace(note, until=time.time() - 1)
        assert here.cluster.leave(late.text(), instead_of=note.text())
        assert recover(here.cluster, registry, 20, quiet)

    def test_an_alias_that_somebody_else_moved_stays(self, here: Here, registry: FileRegistry) -> None:
        assert here.cluster.leave(self.left(moved_to=("1",)).text(), instead_of="")
        registry.point("drill", registry.find("2"))  # type: ignore[arg-type]
        said: list[str] = []
        recover(here.cluster, registry, 20, said.append)
        assert "'drill' was moved to v2 by somebody else during the drill; it was left there" in said
        assert registry.aliases["drill"] == "2"

    def test_a_note_that_is_no_drills_stops_everything(self, here: Here, registry: FileRegistry) -> None:
        assert here.cluster.leave("hands off", instead_of="")
        with pytest.raises(CouldNotEvaluate, match="is no drill's"):
            recover(here.cluster, registry, 20, quiet)

    def test_two_that_find_it_at_once_do_not_both_put_it_right(self, here: Here, registry: FileRegistry) -> None:
        assert here.cluster.leave(self.left().text(), instead_of="")

        def take(step: str) -> None:
            if step == "before leave":
                other = here.open()
                assert other.leave("mine now", instead_of=other.note())

        with pytest.raises(CouldNotEvaluate, match=r"another drill has taken .* just now"):
            recover(counted(here.cluster, take), registry, 20, quiet)
        assert here.cluster.note() == "mine now"
        assert registry.aliases["drill"] == "3", "nothing was put back beside the other"

    def test_a_workload_that_serves_what_no_version_is(self, here: Here, registry: FileRegistry) -> None:
        """Its run is not the one that the registry knows, so nobody could say what to come back to."""
        here.cluster.deploy(Release("models:/tiny/1", "run-of-another-registry"))
        with pytest.raises(
            CouldNotEvaluate, match=r"serves models:/tiny/1 \(run run-of-.*\), which is no version of tiny"
        ):
            set_up(outside(here.cluster, registry), golden(), POLICY, quiet)
        assert here.cluster.note() == ""

    @pytest.mark.parametrize("runs", [{"1": "run-1", "2": "run-1"}, {"1": "", "2": "run-2"}])
    def test_two_versions_that_pods_could_not_tell_apart(
        self, here: Here, registry: FileRegistry, runs: dict[str, str]
    ) -> None:
        one, two = (dataclasses.replace(registry.find(n), run_id=runs[n]) for n in "12")  # type: ignore[type-var]
        with pytest.raises(CouldNotEvaluate, match="were made by the same run, or by none that is known"):
            ask_both(outside(here.cluster, registry), golden(), POLICY, one, two)

    def test_a_drill_notices_that_another_took_over(self, here: Here, registry: FileRegistry) -> None:
        keeping = Keeping(here.cluster, registry, 20, self.left(), quiet)
        keeping.hold("beginning")
        assert here.cluster.leave("", instead_of=here.cluster.note())
        with pytest.raises(CouldNotEvaluate, match="another drill has taken"):
            keeping.hold("to the dummy")

    def test_a_drill_on_what_serves_already_leaves_it_serving(self, here: Here, registry: FileRegistry) -> None:
        uids = {pod.uid for pod in here.cluster.pods()}
        drilled = rehearse(set_up(outside(here.cluster, registry), golden(), POLICY, quiet), 1, quiet)
        assert drilled.restored and drilled.asked is not None
        assert drilled.asked.failed == 0, drilled.asked.faults
        assert set(drilled.asked.right) == {"run-1", "run-2"}
        assert here.cluster.release() == Release("models:/tiny/1", "run-1")
        assert uids.isdisjoint(pod.uid for pod in here.cluster.pods()), "they were really replaced"
        assert registry.aliases == {"champion": "1", "challenger": "2", "drill": "3"}

    def test_an_alias_that_others_move_meanwhile_fails_the_drill(self, here: Here, registry: FileRegistry) -> None:
        def meddle(step: str) -> None:
            if step == "after deploy":
                registry.point("drill", registry.find("3"))  # type: ignore[arg-type]

        cluster = counted(here.cluster, meddle)
        drilled = rehearse(set_up(outside(cluster, registry), golden(), POLICY, quiet), 1, quiet)
        assert drilled.trouble == (
            "the dummy v2 was not brought to serve: 'drill' means v3 and not v2: who else moves it?"
        )
        assert drilled.restored

    def test_nor_may_they_move_it_on_the_way_back(self, here: Here, registry: FileRegistry) -> None:
        def meddle(step: str) -> None:
            if step == "after undo":
                registry.point("drill", registry.find("3"))  # type: ignore[arg-type]

        cluster = counted(here.cluster, meddle)
        drilled = rehearse(set_up(outside(cluster, registry), golden(), POLICY, quiet), 1, quiet)
        assert drilled.trouble == "v1 was not brought back: 'drill' means v3 and not v1"
        assert is_true("back")(restored(drilled)).verdict is Verdict.FAIL


def test_a_lease_never_ends_another_process_under_its_number() -> None:
    me = mine()
    assert me.alive
    assert not Lease(me.pid, "another time").alive
    assert not Lease(me.pid, "another time").kill()
    assert not Lease(me.pid, "").kill(), "one that says nothing is nobody's"


class TestTheLoad:
    def load(self, url: str, expected: dict[str, list[Any]]) -> Asked:
        call = Call(f"{url}/invocations", b'{"dataframe_split": {"columns": ["a"], "data": [[1], [2]]}}')
        load = DrillLoad(call, expected, 100.0, wire="mlflow", tolerance=0.0001, timeout=2)
        deadline = time.monotonic() + 0.5
        while time.monotonic() < deadline:
            time.sleep(0.05)
        return load.stop()

    @pytest.fixture(scope="class")
    def url(self, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
        with places.local(tmp_path_factory.mktemp("load")) as here:
            here.cluster.deploy(Release("models:/tiny/1", "run-1"))
            here.cluster.settle(20)
            yield here.cluster.url()

    def test_right_answers_are_counted_by_run(self, url: str) -> None:
        asked = self.load(url, {"run-1": [2.0, 3.0]})
        assert asked.failed == 0
        assert asked.right == {"run-1": asked.sent}
        assert asked.sent > 20

    def test_wrong_values_under_a_right_name_are_faults(self, url: str) -> None:
        asked = self.load(url, {"run-1": [2.0, 4.0]})
        assert asked.failed == asked.sent > 0
        assert list(asked.faults) == ["the answer of run run-1 is not the one its model gives"]

    def test_a_run_that_takes_no_part_is_a_fault(self, url: str) -> None:
        asked = self.load(url, {"run-2": [2.0, 3.0]})
        assert list(asked.faults) == ["answered by run run-1, which is not part of the drill"]

    def test_nobody_there_is_a_fault_for_each(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        asked = self.load(f"http://127.0.0.1:{port}", {"run-1": [2.0, 3.0]})
        assert asked.failed == asked.sent > 0


class TestDigests:
    """To load a model is to run its code: what takes part in a drill has the files that are on record."""

    @pytest.fixture
    def here(self, tmp_path: Path) -> Iterator[Here]:
        with places.local(tmp_path) as made:
            yield made

    @pytest.fixture
    def registry(self, tmp_path: Path) -> FileRegistry:
        (tmp_path / "aliases.json").write_text(json.dumps({"champion": "1", "challenger": "2"}))
        return FileRegistry(tmp_path / "aliases.json")

    @pytest.mark.parametrize("number", ["1", "2"])
    def test_the_ledger_knows_other_files(self, here: Here, registry: FileRegistry, number: str) -> None:
        found = dataclasses.replace(
            outside(here.cluster, registry), recorded=lambda one: "f" * 64 if one == number else ""
        )
        with pytest.raises(CouldNotEvaluate) as told:
            set_up(found, golden(), POLICY, quiet)
        assert str(told.value).startswith(
            f"the files of v{number} were changed since they were recorded: their digest is "
        )
        assert str(told.value).endswith("the ledger says ffffffffffffffff...; it was not loaded")
        assert here.cluster.release() is None, "nothing was begun"

    def test_training_stamped_other_files(self, here: Here, registry: FileRegistry) -> None:
        class Stamped(FileRegistry):
            def find(self, reference: str) -> Version | None:
                found = super().find(reference)
                return dataclasses.replace(found, tags={"mlgates.digest": "e" * 64}) if found else None

        stamped = Stamped(registry.file)
        with pytest.raises(
            CouldNotEvaluate, match=r"its tag mlgates\.digest says eeeeeeeeeeeeeeee\.\.\.; it was not loaded"
        ):
            set_up(outside(here.cluster, stamped), golden(), POLICY, quiet)
