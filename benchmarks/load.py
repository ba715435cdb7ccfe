"""Does the load generator tell the truth? Measured beside a server whose every delay is known.

    python benchmarks/load.py [--repeats 5] [--seconds 30] [--only p99,calm,rate,rules]
    python benchmarks/load.py --stall      # one stalling server: plain Locust passes it, the gate fails it

The server runs on one core and the generator on another; the first 2 s are left out. The truth is computed from the
arrival schedule, each request's own service time, and the server's stalls, never from what was measured.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(1, str(Path(__file__).parents[1]))

from decisions import latency
from decisions.goals import Goal, table
from pytest_mlgates.adapters.load.arrivals import arrivals
from pytest_mlgates.adapters.load.locust_load import LocustLoad
from pytest_mlgates.measure.load.looks import Look
from pytest_mlgates.measure.load.samples import slowness
from pytest_mlgates.policy import Latency
from pytest_mlgates.ports import Call, LoadPlan, LoadTarget, Samples
from pytest_mlgates.rules import at_most
from tests.load.servers import SERVER

RATE, EVERY, STALL = 200.0, 10.0, 0.5
MEDIAN_MS, SPREAD = 20.0, 0.5
WARM_UP = 2.0
LIMIT_MS = 200.0
PAYLOADS = 1_000
PARTS = ("p99", "calm", "rate", "rules")
#: Requests a second that one core is tried with, from the goal on.
LADDER = (3_000, 3_500, 4_000)

USUAL = """
import json, random
from locust import FastHttpUser, constant_throughput, task

BODIES = json.load(open({bodies!r}))

class Usual(FastHttpUser):
    wait_time = constant_throughput(20)

    @task
    def ask(self):
        self.client.post("/invocations", data=random.choice(BODIES))
"""


@contextmanager
def server(*options: object) -> Iterator[dict[str, float]]:
    """On the last core; the generator, this process's child, has the first."""
    command = [sys.executable, str(SERVER), *map(str, options)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            os.sched_setaffinity(process.pid, {CORES[-1]})
            yield json.loads(process.stdout.readline())
        finally:
            process.kill()


def service_times(seed: int) -> list[float]:
    """Seconds that each of the payloads takes, lognormal."""
    rng = random.Random(seed)
    return [MEDIAN_MS / 1000 * rng.lognormvariate(0, SPREAD) for _ in range(PAYLOADS)]


def bodies(times: list[float]) -> list[str]:
    return [json.dumps({"service_ms": round(1000 * one, 4)}) for one in times]


def planned(port: float, times: list[float], rate: float, seed: int) -> LoadPlan:
    url = f"http://127.0.0.1:{port:.0f}/invocations"
    calls = tuple(Call(url, body.encode(), {"Content-Type": "application/json"}) for body in bodies(times))
    return LoadPlan((LoadTarget("server", calls, 1, "mlflow", ([0.25],) * len(calls)),), rate, seed=seed)


def waited(due: Any, service: Any, began: float, stall: float) -> Any:
    """Seconds that requests due at these moments wait, (n,): a frozen server neither starts nor ends anything.

    It freezes for `stall` seconds at `began` + EVERY, 2 EVERY and so on, and serves any number at a time.
    """

    def thawed(moment: Any) -> Any:
        into = np.where(moment >= began + EVERY, (moment - began) % EVERY, np.inf)
        return np.where(into < stall, moment + stall - into, moment)

    return thawed(thawed(due) + service) - due


def population_p99(stall: float) -> float:
    """What a user meets in the long run: Poisson arrivals over an hour of stalls."""
    rng = np.random.default_rng(0)
    due = EVERY + np.sort(rng.uniform(0, 3_600, round(3_600 * RATE)))
    service = MEDIAN_MS / 1000 * np.exp(rng.normal(0, SPREAD, len(due)))
    return float(np.quantile(waited(due, service, 0.0, stall), 0.99))


def ours(seconds: float, stall: float, seed: int) -> tuple[Samples, float]:
    """(what the generator measured, the true p99 of the same requests)."""
    times = service_times(seed)
    with server("--stall", stall, "--stall-every", EVERY) as there:
        plan = planned(there["port"], times, RATE, seed)
        run = LocustLoad(os.environ).start(plan)
        try:
            found = run.samples(round(RATE * seconds), seconds + 60)["server"]
        finally:
            run.stop()
        schedule = itertools.islice(arrivals(plan), round(RATE * (seconds + WARM_UP) * 2))
        truth = [(due, times[call]) for due, _, call in schedule if due >= WARM_UP][: len(found.due)]
        due, service = np.array(truth).T
        assert np.array_equal(due, found.due)
        return found, float(np.quantile(waited(due + run.began, service, there["began"], stall), 0.99))


def usual(seconds: float, stall: float, seed: int) -> float:
    """p99 in seconds that Locust itself reports: ten users at a constant throughput, who wait for their answers."""
    with tempfile.TemporaryDirectory() as place, server("--stall", stall, "--stall-every", EVERY) as there:
        (Path(place) / "bodies.json").write_text(json.dumps(bodies(service_times(seed))))
        (Path(place) / "locustfile.py").write_text(USUAL.format(bodies=str(Path(place) / "bodies.json")))
        users = ["--users", "10", "--spawn-rate", "10", "--run-time", f"{seconds + WARM_UP:.0f}s"]
        host = ["--host", f"http://127.0.0.1:{there['port']:.0f}"]
        command = [sys.executable, "-m", "locust", "--headless", "--json", "--loglevel", "ERROR", *host, *users]
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=True)
    (entry,) = json.loads(done.stdout)
    times = np.repeat([float(ms) for ms in entry["response_times"]], list(entry["response_times"].values()))
    return float(np.quantile(times, 0.99)) / 1000


def accuracy(name: str, stall: float, given: argparse.Namespace) -> Goal:
    errors, theirs = [], []
    for seed in range(given.repeats):
        found, truth = ours(given.seconds, stall, seed)
        measured = float(np.quantile(found.done - found.due, 0.99))
        errors.append(abs(measured / truth - 1))
        reported = usual(given.seconds, stall, seed)
        theirs.append(abs(reported / population_p99(stall) - 1))
        said = f"true p99 {1e3 * truth:.0f} ms, ours {1e3 * measured:.0f} ms, plain Locust's {1e3 * reported:.0f} ms"
        print(f"{name}: {said}", file=sys.stderr, flush=True)
    percent = [100 * statistics.median(of) for of in (errors, theirs)]
    return Goal(f"{name}, %", percent[0], 5, percent[1], given.repeats, share=False)


def fastest(given: argparse.Namespace) -> Goal:
    """The highest rate of the ladder at which the median p99 of lateness is 5 ms or less."""
    best, late = 0.0, 0.0
    for rate in LADDER:
        found = [lateness(rate, min(given.seconds, 10.0), seed) for seed in range(given.repeats)]
        median = statistics.median(found)
        shown = ", ".join(f"{one:.1f}" for one in found)
        print(f"{rate:,} requests/s: p99 of lateness {shown} ms, median {median:.1f} ms", file=sys.stderr, flush=True)
        if median > 5:
            break
        best, late = float(rate), median
    name = "requests/s from one core, lateness p99 <= 5 ms"
    return Goal(name, best, 3_000, None, 1, at_least=True, share=False, remark=f"{late:.1f} ms late")


def lateness(rate: float, seconds: float, seed: int) -> float:
    """p99 in ms of how late requests were sent."""
    with server() as there:
        run = LocustLoad(os.environ).start(planned(there["port"], [0.0], rate, seed))
        try:
            found = run.samples(round(rate * seconds), seconds + 60)["server"]
        finally:
            run.stop()
    assert len(found.due) == round(rate * seconds)
    return float(np.quantile(found.sent - found.due, 0.99)) * 1000


def side_by_side(given: argparse.Namespace) -> int:
    """One kind of server, one limit, two verdicts."""
    policy = Latency(p99_ms=LIMIT_MS, rate=RATE, seconds=given.seconds)
    reported = usual(given.seconds, STALL, 0) * 1000
    found, truth = ours(given.seconds, STALL, 0)
    evidence = slowness(found, Look(1, len(found.due)), policy, "")
    finding = at_most(LIMIT_MS)(evidence)
    print(f"a server that freezes {STALL:g} s every {EVERY:g} s; true p99 {1e3 * truth:.0f} ms; limit {LIMIT_MS:g} ms")
    print(f"plain Locust   p99 {reported:.0f} ms: {'PASS' if reported <= LIMIT_MS else 'FAIL'}")
    print(f"the gate       {finding.sentence}: {finding.verdict}")
    return int(not (reported <= LIMIT_MS and finding.verdict.name == "FAIL"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--runs", type=int, default=200, help="simulated runs a cell, for the part `rules`")
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {','.join(PARTS)}")
    parser.add_argument("--stall", action="store_true", help="the gate and plain Locust on one stalling server")
    given = parser.parse_args()
    os.sched_setaffinity(0, {CORES[0]})
    if len(CORES) < 2:
        print("one core only: server and generator share it, and the figures say so", file=sys.stderr)
    if given.stall:
        return side_by_side(given)
    asked, goals = given.only.split(","), list[Goal]()
    if "p99" in asked:
        goals.append(accuracy("p99 error with a 500 ms stall every 10 s", STALL, given))
    if "calm" in asked:
        goals.append(accuracy("p99 error without a stall", 0.0, given))
    if "rate" in asked:
        goals.append(fastest(given))
    if "rules" in asked:
        goals += latency.run(given.runs, seed=1)
    print("\n".join(table(goals)))
    return int(not all(goal.met for goal in goals))


CORES = sorted(os.sched_getaffinity(0))

if __name__ == "__main__":
    sys.exit(main())
