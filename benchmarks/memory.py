"""Whether the memory gate finds a leak of 1 KB a request, and passes servers without one.

    python benchmarks/memory.py [RUNS] [SERVERS]

First RUNS simulated processes of each kind (what they hold beside the leak: warm-up, jitter, noise that follows itself,
one large step, small late steps, a sawtooth), then SERVERS real server processes with and without a leak. A leak counts
as found when the gate fails within 20,000 requests; goal: found, and 5 % at most of the others not passed.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pytest_mlgates.adapters.serving.http_endpoint import HttpEndpoint
from pytest_mlgates.adapters.serving.process_memory import ProcessMeter
from pytest_mlgates.measure.load.memory import LOOKS, left_behind
from pytest_mlgates.measure.load.memory_trend import STEP, left_a_request
from pytest_mlgates.policy import Memory
from pytest_mlgates.rules import at_most
from pytest_mlgates.verdict import Verdict

SERVER = Path(__file__).parents[1] / "tests" / "serving" / "leaky_server.py"
POLICY = Memory()
MB = 2.0**20
AFTER = np.arange(1, POLICY.requests // STEP + 1) * STEP
Rng = np.random.Generator
LEAKS = (0, 256, 512, 1024)


def warm_up(rng: Rng) -> NDArray[np.float64]:
    return rng.uniform(5, 30) * MB * (1 - np.exp(-AFTER / rng.uniform(300, 2500)))


def jitter(rng: Rng) -> NDArray[np.float64]:
    return rng.normal(0, 0.3 * MB, len(AFTER))


def following(rng: Rng) -> NDArray[np.float64]:
    """Noise of 0.5 MB that forgets itself over 500 requests."""
    keeps = np.exp(-STEP / 500)
    noise, shocks = np.zeros(len(AFTER)), rng.normal(0, 0.5 * MB * np.sqrt(1 - keeps**2), len(AFTER))
    for place in range(1, len(AFTER)):
        noise[place] = keeps * noise[place - 1] + shocks[place]
    return noise


def one_step(rng: Rng) -> NDArray[np.float64]:
    return np.where(rng.integers(POLICY.requests) <= AFTER, rng.uniform(1, 12) * MB, 0.0)


def late_steps(rng: Rng) -> NDArray[np.float64]:
    held = np.zeros(len(AFTER))
    for at in rng.exponential(3000, rng.poisson(6)):
        held += np.where(at <= AFTER, rng.uniform(0.1, 1) * MB, 0.0)
    return held


def sawtooth(rng: Rng) -> NDArray[np.float64]:
    """Garbage that is collected every so many requests."""
    period = rng.uniform(300, 1500)
    return rng.uniform(0.5, 3) * MB * (((AFTER + rng.uniform(0, period)) % period) / period)


KINDS: dict[str, tuple[Callable[[Rng], NDArray[np.float64]], ...]] = {
    "warm-up only": (warm_up,),
    "jitter": (warm_up, jitter),
    "noise that follows itself": (warm_up, following),
    "one large step": (warm_up, jitter, one_step),
    "small late steps": (warm_up, jitter, late_steps),
    "sawtooth": (warm_up, jitter, sawtooth),
}


def leaked(rng: Rng, leak: float) -> NDArray[np.float64]:
    """As an allocator sees it: a megabyte at a time."""
    return np.ceil((leak * AFTER + rng.uniform(0, MB)) / MB) * MB if leak else np.zeros(len(AFTER))


def verdict(held: NDArray[np.float64]) -> tuple[Verdict, int]:
    """What the gate says of these readings, and after how many requests."""
    for share in LOOKS:
        seen = held[: round(share * len(held))]
        found = at_most(POLICY.leak)(left_a_request(seen.tolist(), "", POLICY.leak, POLICY.alpha / len(LOOKS))).verdict
        if found is Verdict.PASS or share == LOOKS[-1]:
            return found, len(seen) * STEP
    raise AssertionError


def simulated(runs: int) -> Iterator[str]:
    rng = np.random.default_rng(0)
    yield f"{f'simulated, {runs} runs each':28s}{'leak':>8s}{'PASS':>8s}{'FAIL':>8s}{'neither':>9s}{'requests':>10s}"
    for kind, parts in KINDS.items():
        for leak in LEAKS:
            said = [
                verdict(200 * MB + leaked(rng, leak) + sum((part(rng) for part in parts), np.zeros(len(AFTER))))
                for _ in range(runs)
            ]
            yield line(kind, leak, said)


def measured(servers: int) -> Iterator[str]:
    yield f"{'real, ' + str(servers) + ' servers each':28s}"
    for leak in LEAKS:
        began = time.perf_counter()
        said = [served(leak) for _ in range(servers)]
        yield line("small asyncio server", leak, said) + f"   {(time.perf_counter() - began) / servers:.1f} s each"


def served(leak: int) -> tuple[Verdict, int]:
    with subprocess.Popen(
        [sys.executable, str(SERVER), str(leak)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        endpoint = HttpEndpoint("server", f"http://127.0.0.1:{process.stdout.readline().strip()}", "mlflow")
        meter = ProcessMeter([process.pid], "server")
        [found] = left_behind(endpoint, meter, Rows(pd.DataFrame({"x": np.arange(100.0)})), POLICY, lambda _: None)
        process.kill()
    return at_most(POLICY.leak)(found).verdict, found.n


class Rows:
    """All that is asked of a golden set here."""

    def __init__(self, X: pd.DataFrame) -> None:
        self.X = X

    def __len__(self) -> int:
        return len(self.X)


def line(kind: str, leak: int, said: list[tuple[Verdict, int]]) -> str:
    verdicts = [one for one, _ in said]
    shares = [verdicts.count(one) / len(said) for one in (Verdict.PASS, Verdict.FAIL)]
    mean = np.mean([requests for _, requests in said])
    return f"{kind:28s}{leak:>6d} B{shares[0]:>8.1%}{shares[1]:>8.1%}{1 - sum(shares):>9.1%}{mean:>10,.0f}"


def main(runs: int, servers: int) -> None:
    for text in (*simulated(runs), "", *measured(servers)):
        print(text, flush=True)


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:]]
    main(*(given + [200, 3][len(given) :]))
