"""The workload that goes where the alias goes: announced, proven pod by pod, put back when it does not serve."""

from __future__ import annotations

import dataclasses
import http.server
import json
import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_mlgates.errors import ActionFailed, CouldNotEvaluate
from pytest_mlgates.ports import Pod, Release, Version
from pytest_mlgates.rollout import following
from pytest_mlgates.rollout.following import Following
from pytest_mlgates.workload import IN_A_ROW, Part, Question, follow, prove
from tests.cluster.cast import FileRegistry, Knowing, golden, settings

QUESTION = Question(("a", "b"), [[1.0, 2.0]])
ONE, TWO = Release("models:/tiny/1", "run-1"), Release("models:/tiny/2", "run-2")
PART = Part(Version("tiny", "2", run_id="run-2"), TWO, (5.0,))
RIGHT = ("run-2", 5.0)


class Answers(http.server.ThreadingHTTPServer):
    """Pods as paths. `said` is what each answers, a run ("" for none) and a value; of several the next each time."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.said: dict[str, deque[tuple[str, float]]] = {}
        self.asked: list[tuple[str, float]] = []

    def told(self, path: str) -> tuple[str, float]:
        known = self.said[path]
        found = known.popleft() if len(known) > 1 else known[0]
        self.asked.append(found)
        return found


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Answers

    def do_POST(self) -> None:
        rows = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["dataframe_split"]["data"]
        run, value = self.server.told(self.path.split("/")[1])
        body = json.dumps({"predictions": [value] * len(rows)}).encode()
        self.send_response(200)
        head = {"Content-Type": "application/json", "Content-Length": str(len(body)), "X-Model-Run-Id": run}
        for name, text in head.items():
            if text:
                self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class InMemory:
    """A workload without processes; each release it may be told to serve brings its pods' answers along."""

    name = "a workload in memory"

    def __init__(self, server: Answers, present: Release | None = None) -> None:
        self.server, self.present, self.left = server, present, ""
        self.live: tuple[str, ...] = ("pod-1",)
        self.deployed: list[Release] = []
        self.refuses: dict[Release, str] = {}
        self.meanwhile = False
        self.answers(pod_1=[RIGHT], address=[RIGHT])

    def answers(self, **said: list[tuple[str, float]]) -> None:
        self.server.said = {name.replace("_", "-"): deque(told) for name, told in said.items()}

    def release(self) -> Release | None:
        return self.present

    def deploy(self, release: Release, mark: str = "") -> None:
        if release in self.refuses:
            raise ActionFailed(self.refuses[release])
        self.present = release
        self.deployed.append(release)

    def settle(self, within: float) -> float:
        return 0.0

    def pods(self) -> tuple[Pod, ...]:
        return tuple(Pod(name, name, "here", True, "run-2") for name in self.live)

    def url(self, pod: Pod | None = None) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/{pod.name if pod else 'address'}"

    def note(self) -> str:
        return self.left

    def leave(self, note: str, *, instead_of: str) -> bool:
        if self.left != instead_of or self.meanwhile:
            return False
        self.left = note
        return True


@pytest.fixture
def server() -> Iterator[Answers]:
    with Answers() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield made
        finally:
            made.shutdown()
            thread.join()


@pytest.fixture
def cluster(server: Answers) -> InMemory:
    return InMemory(server, ONE)


class TestTheProof:
    def unproven(self, cluster: InMemory) -> str:
        with pytest.raises(CouldNotEvaluate) as told:
            prove(cluster, QUESTION, PART, 0.05)  # type: ignore[arg-type]
        return str(told.value)

    def test_every_pod_and_the_address_must_answer(self, cluster: InMemory) -> None:
        prove(cluster, QUESTION, PART, 5)  # type: ignore[arg-type]
        assert len(cluster.server.asked) == 1 + IN_A_ROW

    def test_without_a_live_pod_nothing_serves(self, cluster: InMemory) -> None:
        """Whoever answers at the address is on his way out."""
        cluster.live = ()
        assert self.unproven(cluster) == (
            "v2 was not seen to serve on a workload in memory within 0.05 s: a workload in memory has no live pod"
        )

    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            (("", 5.0), "pod pod-2 does not say which run it is (X-Model-Run-Id), not run-2 of v2"),
            (("run-1", 5.0), "pod pod-2 says it is run run-1, not run-2 of v2"),
            (("run-2", 5.01), "pod pod-2 says it is v2 (run run-2), but its golden answers are another model's"),
        ],
    )
    def test_one_pod_of_several(self, cluster: InMemory, answer: tuple[str, float], said: str) -> None:
        cluster.live = ("pod-1", "pod-2")
        cluster.answers(pod_1=[RIGHT], pod_2=[answer], address=[RIGHT])
        assert self.unproven(cluster).endswith(said)

    def test_an_old_pod_that_is_still_in_the_list_of_the_address(self, cluster: InMemory) -> None:
        old = ("run-1", 4.0)
        cluster.answers(pod_1=[RIGHT], address=[RIGHT, RIGHT, RIGHT, old, RIGHT])
        prove(cluster, QUESTION, PART, 5)  # type: ignore[arg-type]
        assert cluster.server.asked[-IN_A_ROW:] == [RIGHT] * IN_A_ROW
        assert cluster.server.asked[-IN_A_ROW - 1] == old


class TestPutBack:
    def refused(self, cluster: InMemory) -> str:
        with pytest.raises(ActionFailed) as told:
            follow(cluster, QUESTION, PART, 0.05)  # type: ignore[arg-type]
        return str(told.value)

    def test_what_does_not_serve(self, cluster: InMemory) -> None:
        cluster.answers(pod_1=[("run-2", 9.0)], address=[RIGHT])
        said = self.refused(cluster)
        assert said.startswith("the workload does not follow to v2: v2 was not seen to serve on ")
        assert said.endswith("; it was put back to models:/tiny/1 (run run-1)")
        assert (cluster.deployed, cluster.present) == ([TWO, ONE], ONE)

    def test_that_it_could_not_be_is_said(self, cluster: InMemory) -> None:
        cluster.answers(pod_1=[("run-2", 9.0)], address=[RIGHT])
        cluster.refuses = {ONE: "403 Forbidden"}
        assert self.refused(cluster).endswith(
            "; and it could not be put back to models:/tiny/1 (run run-1): 403 Forbidden"
        )

    def test_what_served_nothing_before(self, server: Answers) -> None:
        empty = InMemory(server)
        empty.answers(pod_1=[("run-2", 9.0)], address=[RIGHT])
        assert self.refused(empty).endswith("; there is nothing that it served before")

    def test_what_is_not_begun_is_not_put_back(self, cluster: InMemory) -> None:
        cluster.refuses = {TWO: "403 Forbidden"}
        assert self.refused(cluster) == "the workload does not follow to v2: 403 Forbidden"
        assert (cluster.deployed, cluster.present) == ([], ONE)


class TestFollowing:
    @pytest.fixture
    def registry(self, tmp_path: Path) -> FileRegistry:
        (tmp_path / "aliases.json").write_text(json.dumps({"champion": "2"}))
        return FileRegistry(tmp_path / "aliases.json")

    @pytest.fixture
    def moved(self, cluster: InMemory, registry: FileRegistry, monkeypatch: pytest.MonkeyPatch) -> Following:
        """Goes to v2, which answers the golden rows as its model does."""

        class Store:
            def pointer(self) -> Any:
                return dataclasses.make_dataclass("Pointer", ["md5"])("0" * 32)

            def ensure(self, pointer: Any) -> None:
                pass

        rows = golden()
        monkeypatch.setattr(following, "golden_store", lambda _: Store())
        monkeypatch.setattr(following, "read_golden", lambda *_: dataclasses.replace(rows, X=rows.X.iloc[[4]]))
        monkeypatch.setattr(following, "open_scorer", lambda *_: Knowing())
        told = ("run-2", 7.0)
        cluster.answers(pod_1=[told], address=[told])
        return Following(settings(cluster={"rollout_s": 5.0}), registry, cluster, {}, lambda _: "")  # type: ignore[arg-type]

    def version(self, registry: FileRegistry, number: str = "2") -> Version:
        found = registry.find(number)
        assert found is not None
        return found

    def test_to_a_version_that_answers_right(self, moved: Following, cluster: InMemory, registry: FileRegistry) -> None:
        two = self.version(registry)
        moved.announce(two)
        assert json.loads(cluster.note()) == {"kind": "follows", "to": "2"}
        assert moved.follow(two).startswith("a workload in memory serves v2 at http://127.0.0.1:")
        moved.done()
        assert (cluster.present, cluster.note()) == (TWO, "")

    def test_not_while_a_drill_is_there(self, moved: Following, cluster: InMemory, registry: FileRegistry) -> None:
        cluster.left = '{"mark": "drill-1"}'
        with pytest.raises(ActionFailed, match="nothing was changed: a workload in memory is in use by a drill"):
            moved.announce(self.version(registry))
        moved.done()
        assert cluster.left == '{"mark": "drill-1"}', "it is another's"

    def test_not_while_somebody_else_begins(self, moved: Following, cluster: InMemory, registry: FileRegistry) -> None:
        cluster.meanwhile = True
        with pytest.raises(ActionFailed, match="nothing was changed: somebody else moves a workload in memory"):
            moved.announce(self.version(registry))

    def test_not_to_files_that_the_ledger_does_not_know(
        self, moved: Following, cluster: InMemory, registry: FileRegistry
    ) -> None:
        """To load a model is to run its code, and what it answers would be what the pods are held to."""
        moved.recorded = lambda number: "f" * 64
        with pytest.raises(
            ActionFailed, match=r"was not moved to v2: the files of v2 were changed .* it was not loaded"
        ):
            moved.follow(self.version(registry))
        assert cluster.deployed == []

    def test_not_to_a_version_without_a_run(self, moved: Following, cluster: InMemory, registry: FileRegistry) -> None:
        nobodys = dataclasses.replace(self.version(registry), run_id="")
        with pytest.raises(ActionFailed, match="was registered without a run, so no pod could say which one it serves"):
            moved.follow(nobodys)
        assert cluster.deployed == []

    def test_a_move_that_was_cut_short_is_finished(
        self, moved: Following, cluster: InMemory, registry: FileRegistry
    ) -> None:
        two = self.version(registry)
        moved.announce(two)
        did, trouble = moved.catch_up(two)
        assert did.startswith("a move that was cut short is finished: a workload in memory serves v2")
        assert (trouble, cluster.present, cluster.note()) == ("", TWO, "")

    def test_one_that_only_lacked_its_end_is_ended(
        self, moved: Following, cluster: InMemory, registry: FileRegistry
    ) -> None:
        two = self.version(registry)
        moved.announce(two)
        cluster.present = TWO
        assert moved.catch_up(two) == ("", "")
        assert (cluster.note(), cluster.deployed) == ("", [])

    def test_a_move_by_hand_is_left_alone(self, moved: Following, cluster: InMemory, registry: FileRegistry) -> None:
        did, trouble = moved.catch_up(self.version(registry))
        assert did == ""
        assert trouble.startswith("a workload in memory serves models:/tiny/1 (run run-1), but v2 is champion: it was")
        assert cluster.present == ONE

    def test_what_was_never_deployed_waits_for_the_next_promotion(
        self, moved: Following, cluster: InMemory, registry: FileRegistry
    ) -> None:
        cluster.present = None
        assert moved.catch_up(self.version(registry)) == ("", "")
        assert cluster.deployed == []
