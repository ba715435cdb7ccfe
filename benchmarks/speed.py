"""How fast the statistics are, side by side with their peers in one run: `python -m benchmarks.speed`.

Medians of repeated runs, CPU time and wall time. What a peer would take minutes for is timed on few draws and
scaled by its time a draw, marked `~`. `--quick` leaves out the million rows.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks.peers import auc as peers
from pytest_mlgates.stats.bootstrap import paired_auc_bootstrap, replicate_weights
from pytest_mlgates.stats.delong import paired_auc
from pytest_mlgates.stats.lanes import WORDS, new_stream

DRAWS = 2000
SIZES = (5_000, 50_000, 1_000_000)


class Time(NamedTuple):
    """Seconds of processor and of clock."""

    cpu: float
    wall: float

    def scaled(self, factor: float) -> Time:
        return Time(self.cpu * factor, self.wall * factor)


def sample(n: int, seed: int = 0) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    y = rng.random(n) < 0.5
    champion = rng.normal(size=n) + 1.19 * y
    return y, champion, 0.9 * champion + 0.4 * rng.normal(size=n)


def timed(work: Callable[[], object], repeats: int) -> Time:
    """Medians over `repeats` runs."""
    runs = []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        runs.append((time.process_time() - cpu, time.perf_counter() - wall))
    return Time(*(statistics.median(column) for column in zip(*runs, strict=True)))


def per_draw(work: Callable[[int], object], few: int, more: int, repeats: int) -> Time:
    """Time of one more draw: what the peer does once, before the draws, is not held against it."""
    less, longer = timed(lambda: work(few), repeats), timed(lambda: work(more), repeats)
    return Time(*((b - a) / (more - few) for a, b in zip(less, longer, strict=True)))


def line(what: str, mine: Time | None, note: str = "") -> None:
    shown = "" if mine is None else f"{mine.cpu * 1e3:12,.1f} {mine.wall * 1e3:12,.1f}"
    print(f"  {what:<46}{shown:<26}{note}", flush=True)


def heading(text: str) -> None:
    print(f"\n{text}\n  {'':<46}{'cpu ms':>12} {'wall ms':>12}")


def goal(ratio: float, least: float) -> str:
    return f"{ratio:,.0f}x (goal {least:g}x: {'met' if ratio >= least else 'MISSED'})"


def ours(data: tuple[Any, Any, Any], repeats: int) -> list[Time]:
    """One thread and two."""
    return [
        timed(lambda t=threads: paired_auc_bootstrap(*data, draws=DRAWS, engine="numba", threads=t), repeats)
        for threads in (1, 2)
    ]


def bootstrap(n: int, least: float) -> None:
    heading(f"paired AUC bootstrap, n={n:,}, {DRAWS:,} draws")
    data = sample(n)
    repeats = {5_000: 15, 50_000: 9}.get(n, 3)
    few = max(2, 200_000 // n)
    paired_auc_bootstrap(*data, draws=1, engine="numba")  # compiles
    before = ours(data, repeats)
    rivals = {}
    for batch in {5_000: (1, 10, 50, DRAWS), 50_000: (1, 4, 20)}.get(n, (1,)):
        each = per_draw(lambda k, b=batch: peers.scipy_bootstrap(*data, k, b), few, 3 * few, 3)
        rivals[f"~ scipy.stats.bootstrap, batches of {batch}"] = each.scaled(DRAWS)
    rivals["~ scikit-learn loop"] = per_draw(lambda k: peers.scikit_learn_loop(*data, k), few, 3 * few, 1).scaled(DRAWS)
    # On a shared machine the load changes: ours before and after the peers, as they have several tries too.
    mine, two = (min(pair) for pair in zip(before, ours(data, repeats), strict=True))
    fastest = min(rivals.values())
    cell = 1e9 / n / DRAWS
    line("ours, one thread", mine, f"{mine.cpu * cell:.2f} ns a row and draw, bound {bound(n):.2f}")
    line("ours, two threads", two, f"wall {mine.wall / two.wall:.2f}x one thread (goal 1.7x)")
    if n <= 50_000:
        plain = timed(lambda: paired_auc_bootstrap(*data, draws=DRAWS, engine="numpy"), 3)
        line("ours without numba", plain, f"cpu {fastest.cpu / plain.cpu:,.0f}x the fastest peer")
    for name, rival in rivals.items():
        line(name, rival, f"cpu {rival.cpu / mine.cpu:,.0f}x ours")
    line("fastest peer / ours, cpu, one thread", None, goal(fastest.cpu / mine.cpu, least))


def bound(n: int) -> float:
    """ns a row and draw that two bytes of random number and the counts' way through memory would cost alone.

    Random words by the fastest generator here (the compiled lanes), and counts written once and read twice at
    the speed of a copy of the same size.
    """
    import numba

    from pytest_mlgates.stats.compiled_lanes import refill

    stream = new_stream(np.random.default_rng(0))

    @numba.njit
    def many(stream: Any, times: int) -> None:
        for _ in range(times):
            refill(stream)

    many(stream, 1)
    words = timed(lambda: many(stream, 2000), 5).cpu / (2000 * WORDS * 4)
    size = min(n, 500_000) * 64
    a, b = np.ones(size, dtype=np.uint8), np.ones(size, dtype=np.uint8)
    copy = timed(lambda: np.copyto(a, b), 9).cpu / size  # one byte read, one written
    return (words + 1.5 * copy) * 1e9


def agreement() -> None:
    print("\nagreement with scikit-learn on the same resample weights")
    for n, digits, draws in ((5_000, 12, 50), (5_000, 1, 50), (50_000, 12, 10)):
        y, a, b = sample(n)
        a, b = a.round(digits), b.round(digits)
        mine = paired_auc_bootstrap(y, a, b, draws=draws, engine="numba")
        plain = paired_auc_bootstrap(y, a, b, draws=draws, engine="numpy")
        theirs = peers.scikit_learn_on(y, a, b, replicate_weights(y, a, draws=draws))
        worst = np.abs(mine - theirs).max()
        same = "numba = numpy" if np.array_equal(mine, plain) else "numba DIFFERS from numpy"
        ties = "ties" if digits == 1 else "no ties"
        line(f"n={n:,}, {draws} draws, {ties}", None, f"largest difference {worst:.1e} (goal 1e-12), {same}")


def delong(n: int) -> None:
    heading(f"DeLong, two models, n={n:,}")
    data = sample(n)
    repeats = {5_000: 51, 50_000: 21}.get(n, 7)
    mine = timed(lambda: paired_auc(*data), repeats)
    bare = timed(lambda: peers.two_roc_auc_scores(*data), repeats)
    line("ours", mine)
    share = mine.cpu / bare.cpu
    line("two bare roc_auc_score calls", bare, f"ours takes {share:.2f} of it (goal 0.67: {_met(share <= 2 / 3)})")
    for name, peer in (("confidenceinterval", peers.confidence_interval), ("MLstatkit", peers.mlstatkit)):
        if not peers.works(peer):
            line(f"{name} (not installed)", None)
            continue
        rival = timed(lambda peer=peer: peer(*data), 1 if n > 50_000 else 5)
        line(name, rival, f"cpu {goal(rival.cpu / mine.cpu, 10)}")


def _met(met: bool) -> str:
    return "met" if met else "MISSED"


FRESH = {
    "ours": "from pytest_mlgates.stats.delong import paired_auc\n"
    "from pytest_mlgates.stats.bootstrap import paired_auc_bootstrap, percentile_interval\n"
    "paired_auc(y, a, b).interval(0.9); percentile_interval(paired_auc_bootstrap(y, a, b), 0.9)",
    "scipy.stats.bootstrap": "from benchmarks.peers.auc import scipy_bootstrap, two_roc_auc_scores\n"
    "two_roc_auc_scores(y, a, b); np.quantile(scipy_bootstrap(y, a, b, 2000, 10), [.05, .95])",
}


def fresh_process() -> None:
    heading("AUC and its bootstrap in a fresh process, n=5,000, imports (and compilation, if any) included")
    sampled = "import numpy as np\nrng = np.random.default_rng(0); y = rng.random(5000) < .5\n"
    sampled += "a = rng.normal(size=5000) + 1.19 * y; b = .9 * a + .4 * rng.normal(size=5000)\n"
    found = {}
    for name, code in FRESH.items():
        runs = []
        for _ in range(3):
            before, wall = os.times(), time.perf_counter()
            subprocess.run([sys.executable, "-c", sampled + code], check=True)
            after = os.times()
            cpu = after.children_user + after.children_system - before.children_user - before.children_system
            runs.append((cpu, time.perf_counter() - wall))
        found[name] = Time(*(statistics.median(column) for column in zip(*runs, strict=True)))
        line(name, found[name])
    one, other = found.values()
    line("ratio", None, f"cpu {other.cpu / one.cpu:.1f}x, wall {other.wall / one.wall:.1f}x")


def memory(n: int = 1_000_000) -> None:
    print(f"\nmemory, n={n:,}, {DRAWS:,} draws")
    y, a, b = sample(n)
    paired_auc_bootstrap(y, a, b, draws=1, engine="numba")
    for threads in (1, 2):
        tracemalloc.start()
        paired_auc_bootstrap(y, a, b, draws=96, engine="numba", threads=threads)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        given = y.nbytes + a.nbytes + b.nbytes
        ratio = peak / given
        note = f"peak {peak / 1e6:.0f} MB above inputs of {given / 1e6:.0f} MB: {ratio:.1f}x"
        line(
            f"{threads} thread{'s' * (threads > 1)} (the same for any number of draws)",
            None,
            note + f" (goal 3x: {_met(ratio <= 3)})",
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out the million rows")
    quick = parser.parse_args().quick
    print(f"numpy {np.__version__}, Python {sys.version.split()[0]}, {os.cpu_count()} cores")
    for n, least in zip(SIZES[: 2 if quick else 3], (300, 280, 200), strict=False):
        bootstrap(n, least)
    agreement()
    for n in SIZES[: 2 if quick else 3]:
        delong(n)
    fresh_process()
    if not quick:
        memory()


if __name__ == "__main__":
    main()
