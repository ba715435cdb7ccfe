"""The way there and back on the local cluster: does anybody notice, and how long does it take?

    python benchmarks/drill.py [REPEATS] [--mlflow] [--killed] [--kubernetes]

1. REPEATS (20) times there and back under 200 requests a second, with pods that take two seconds to start: failed
   requests, and the 95th percentile of the time to restore beside what one such pod takes to start by itself.
2. `--mlflow`: the same with MLflow's own scoring server and the demo's models, at 20 requests a second.
3. `--killed`: a drill killed at every step, each followed by a whole one, on local processes and on the stand-in for
   an API server (which is not a cluster): what is left over. Takes minutes.
4. `--kubernetes`: one whole drill on the cluster of MLGATES_TEST_KUBECONFIG and MLGATES_TEST_CONTEXT, beside what two
   plain rollouts of the same pods take there. Without the two on the stand-in, which says that it is none.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pytest_mlgates.adapters.local.cluster import LocalCluster  # noqa: E402
from pytest_mlgates.adapters.local.pods import free_port  # noqa: E402
from pytest_mlgates.measure.drill import failed_requests, p95, rehearse  # noqa: E402
from pytest_mlgates.policy import RollbackDrill  # noqa: E402
from pytest_mlgates.ports import Release  # noqa: E402
from pytest_mlgates.rollout.staging import set_up  # noqa: E402
from tests.cluster import places  # noqa: E402
from tests.cluster.cast import FileRegistry, golden, outside, quiet  # noqa: E402

GOAL = 1.5
#: Seconds that a whole drill may take beyond its pods' own start-up.
BEYOND = 20.0
START = "2"
TINY = [sys.executable, "-S", "-E", str(places.TINY)]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("repeats", nargs="?", type=int, default=20)
    parser.add_argument("--mlflow", action="store_true")
    parser.add_argument("--killed", action="store_true")
    parser.add_argument("--kubernetes", action="store_true")
    given = parser.parse_args()
    good = tiny(given.repeats)
    if given.mlflow:
        good &= mlflow(given.repeats)
    if given.kubernetes:
        good &= kubernetes()
    if given.killed:
        good &= all([killed("local"), killed("standin")])
    return int(not good)


def tiny(repeats: int) -> bool:
    environment = {"PATH": os.environ["PATH"], "TINY_START": START}
    told = environment | {"MODEL_URI": "models:/tiny/1", "RUN_ID": "run-1"}
    starts = [start_up(TINY, told) for _ in range(5)]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "aliases.json").write_text('{"champion": "1", "challenger": "2"}')
        cluster = LocalCluster(folder / "cluster", "staging", command=TINY, environment=environment, lasting=False)
        policy = RollbackDrill(repeats=repeats, rate=200.0, rows=6)
        registry = FileRegistry(folder / "aliases.json")
        drilled = rehearse(set_up(outside(cluster, registry), golden(), policy, quiet), repeats, quiet)
    asked = drilled.asked
    assert asked is not None
    print(f"local cluster, pods that take {START} s to start, {policy.rate:g} requests a second")
    return told_of(drilled.restores, starts, asked.failed, asked.sent, failed_requests(drilled, policy).cannot_say)


def mlflow(repeats: int) -> bool:
    from pytest_mlgates.demo import add_cluster, build

    with tempfile.TemporaryDirectory() as place:
        demo = Path(place) / "demo"
        build(demo, say=quiet)
        add_cluster(demo)
        file = demo / "pyproject.toml"
        file.write_text(file.read_text().replace("repeats = 1 ", f"repeats = {repeats} "))
        environment = os.environ | {"MLFLOW_TRACKING_URI": f"sqlite:///{demo}/mlflow.db", "RUN_ID": "r"}
        environment |= {"MODEL_URI": "models:/employment/1", "MLFLOW_DISABLE_TELEMETRY": "true"}
        command = [sys.executable, "-m", "pytest_mlgates.adapters.local.mlflow_pod"]
        starts = [start_up(command, environment) for _ in range(5)]
        pytest = [sys.executable, "-m", "pytest", "--mlgate", "--mlgate-phase", "drill", "-q"]
        subprocess.run(pytest, cwd=demo, check=False, capture_output=True, timeout=3600)
        evidence = json.loads((demo / ".mlgates" / "report" / "evidence.json").read_text())
    gate = next(one for one in evidence["gates"] if one["name"] == "rollback_drill")
    found = {one["evidence"]["measure"]: one["evidence"] for one in gate["judgements"]}
    failed = found["failed requests"]
    print("local cluster, MLflow's scoring server, 20 requests a second")
    restores = found["time to restore p95"]["details"]["seconds"]
    return told_of(restores, starts, int(failed["value"]), failed["n"], failed["cannot_say"])


def kubernetes() -> bool:
    where = places.real if "MLGATES_TEST_KUBECONFIG" in os.environ else places.standin
    with tempfile.TemporaryDirectory() as place, where(Path(place)) as here:
        cluster, registry = here.cluster, FileRegistry(Path(place) / "aliases.json")
        (Path(place) / "aliases.json").write_text('{"champion": "1", "challenger": "2"}')
        cluster.deploy(Release("models:/tiny/1", "run-1"))
        cluster.settle(here.patience)  # the image is there now
        begun = time.perf_counter()
        cluster.deploy(Release("models:/tiny/2", "run-2"))
        cluster.settle(here.patience)
        cluster.undo()
        cluster.settle(here.patience)
        plain = time.perf_counter() - begun
        begun = time.perf_counter()
        policy = RollbackDrill(repeats=1, rows=6)
        drilled = rehearse(set_up(outside(cluster, registry), golden(), policy, quiet), 1, quiet)
        whole = time.perf_counter() - begun
        print(f"one drill on {cluster.name}, {policy.rate:g} requests a second")
    asked, trouble = drilled.asked, drilled.trouble or drilled.unheld or drilled.left
    failed, sent = (asked.failed, asked.sent) if asked else (-1, 0)
    print(f"  requests failed               {failed} of {sent:,} (goal: 0){f'; {trouble}' if trouble else ''}")
    print(f"  the whole drill               {whole:.2f} s; two plain rollouts of the same pods: {plain:.2f} s")
    print(f"  beyond the pods' own start-up {whole - plain:.2f} s (goal: {BEYOND:g} at most)")
    return not failed and not trouble and whole - plain <= BEYOND


def told_of(restores: Sequence[float], starts: Sequence[float], failed: int, sent: int, behind: str) -> bool:
    longest, own = p95(list(restores)) or float("nan"), statistics.median(starts)
    print(f"  requests failed               {failed} of {sent:,} (goal: 0){f'; {behind}' if behind else ''}")
    print(f"  time to restore, p95 of {len(restores):<3}   {longest:.2f} s")
    print(f"  one pod's own start-up        {own:.2f} s (median of {len(starts)}, nothing else running)")
    print(f"  ratio                         {longest / own:.2f} (goal: {GOAL} at most)")
    return failed == 0 and not behind and longest / own <= GOAL


def start_up(command: Sequence[str], environment: dict[str, str]) -> float:
    """Seconds until a pod by itself answers."""
    port = free_port()
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment | {"HOST": "127.0.0.1", "PORT": str(port)}, stdout=subprocess.DEVNULL
    )
    try:
        return until(lambda: answers(f"http://127.0.0.1:{port}/ping")) - begun
    finally:
        process.kill()
        process.wait()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def until(holds: Callable[[], bool], within: float = 120.0) -> float:
    deadline = time.perf_counter() + within
    while time.perf_counter() < deadline:
        if holds():
            return time.perf_counter()
        time.sleep(0.02)
    raise TimeoutError(f"not within {within:g} s")


def killed(kind: str) -> bool:
    command = [sys.executable, "-m", "tests.cluster.killed", kind]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if kind == "local":
            done = subprocess.run([*command, place, "1", "1"], cwd=ROOT, capture_output=True, text=True, check=False)
        else:
            with places.standin(folder) as here:
                here.cluster.deploy(Release("models:/tiny/1", "run-1"))
                here.cluster.settle(20)
                done = subprocess.run(
                    [*command, place, "1", "1"], cwd=ROOT, capture_output=True, text=True, check=False
                )
    lines = [json.loads(line) for line in done.stdout.splitlines()][:-1]
    clean = sum(not one["left"] and one["again"] == 0 and one["first"] == -9 for one in lines)
    where = {"local": "local processes", "standin": "stand-in API server, not a cluster"}[kind]
    print(f"killed at every step, then run again, on {where}: nothing left over {clean} of {len(lines)} (goal: all)")
    return clean == len(lines) >= 20


if __name__ == "__main__":
    sys.exit(main())
