"""Simulated incidents and simulated months, judged by the same pure core as a live service, beside the usual rule.

    python benchmarks/incidents.py [--incidents 500] [--months 100] [--seed 1]

Time is simulated: counters every 15 s (30 s in the months), a look every 30 s, data 15 s old. Nothing is tuned to the
incidents: policies are the defaults, and each incident draws its own traffic, base rates, sizes and onset.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from pytest_mlgates.live.flow import Flow
from pytest_mlgates.live.guard import Past, forbids
from pytest_mlgates.live.reading import State, Unknown
from pytest_mlgates.live.slo import Limit, Seen, Terms, judge
from pytest_mlgates.policy import Live, Slo
from pytest_mlgates.tiers import Tier

Array = NDArray[np.float64]
POLICY = Slo()
ERRORS = (Limit(POLICY.errors, POLICY.seconds), Limit(POLICY.errors_at_once, POLICY.errors_at_once_s))
SLOW = {
    POLICY.p99_ms / 1000: Limit(0.01, POLICY.seconds),
    POLICY.p99_at_once_ms / 1000: Limit(0.01, POLICY.p99_at_once_s),
}
TERMS = Terms(
    POLICY.requests,
    POLICY.alpha,
    POLICY.stale_s,
    POLICY.burn_in_s,
    POLICY.worse,
    POLICY.spike,
    3600 * POLICY.suspect_h,
    True,
)
LOOK, DELAY = 30.0, 15.0
#: How many incidents of each kind, of 100.
KINDS = {
    "model regression": 40,
    "infrastructure outage": 24,
    "traffic spike": 12,
    "warm-up burst": 8,
    "slow decay": 6,
    "scrape gap": 6,
    "mixed": 4,
}


@dataclass
class Service:
    """Per step: requests a second, share of errors, median answering time in s (log-normal with `spread`), known."""

    rate: Array
    errors: Array
    median: Array
    spread: float
    known: NDArray[np.bool_] = field(default_factory=lambda: np.array([], dtype=bool))

    @classmethod
    def usual(cls, rng: np.random.Generator, steps: int) -> Service:
        rate = math.exp(rng.uniform(math.log(5), math.log(200)))
        p99, spread = rng.uniform(0.12, 0.35), rng.uniform(0.4, 0.7)
        noisy = rng.gamma(5, 0.2, steps)  # errors come in bursts: overdispersed from step to step
        wave = 1 + 0.2 * np.sin(np.arange(steps) / 240 + rng.uniform(0, 6))
        return cls(
            rate * wave,
            np.minimum(rng.uniform(0.0003, 0.004) * noisy, 1),
            np.full(steps, p99 / math.exp(2.326 * spread)) * rng.normal(1, 0.05, steps).clip(0.8, 1.2),
            spread,
            np.ones(steps, dtype=bool),
        )

    def slower_than(self, seconds: float) -> Array:
        return _above((np.log(seconds) - np.log(self.median)) / self.spread)

    def flows(self, rng: np.random.Generator, times: Array, step: float) -> dict[float, Flow]:
        """By what is bad: 0 for errors, else the seconds an answer may take; -1: slower than its own usual p90."""
        total = rng.poisson(self.rate * step)
        own = float(np.median(self.median)) * math.exp(1.2816 * self.spread)
        shares = {0.0: self.errors, -1.0: self.slower_than(own), **{s: self.slower_than(s) for s in SLOW}}
        known = self.known.tolist()
        return {
            name: Flow(
                tuple(times.tolist()),
                tuple(float(n) if k else None for n, k in zip(total.tolist(), known, strict=True)),
                tuple(float(b) if k else None for b, k in zip(bad.tolist(), known, strict=True)),
            )
            for name, share in shares.items()
            for bad in (rng.binomial(total, share.clip(0, 1)),)
        }


@dataclass
class Incident:
    """`onset` and `since` (of the champion) in seconds of simulated time; `model`: a rollback is right."""

    kind: str
    champion: Service
    control: Service
    times: Array
    onset: float
    since: float
    model: bool
    sharp: bool = False


def drawn(
    kind: str, rng: np.random.Generator, step: float = 15.0, before: float = 12_000, after: float = 3600
) -> Incident:
    steps = round((before + after) / step)
    times = (np.arange(steps) + 1) * step - before
    champion, control = Service.usual(rng, steps), Service.usual(rng, steps)
    made = Incident(
        kind, champion, control, times, 0.0, -rng.uniform(0.2, 40) * 3600, kind in ("model regression", "slow decay")
    )
    on = times > 0
    if kind == "model regression":
        if rng.random() < 0.7:  # most show at once; the others wait for the rows they are bad at
            made.since = 0.0
        _regress(champion, on, rng)
        made.sharp = True
    elif kind == "infrastructure outage":
        _outage([champion] if rng.random() < 0.02 else [champion, control], times, rng)
    elif kind == "traffic spike":
        _spike(champion, times, rng)
    elif kind == "warm-up burst":
        made.since = 0.0
        cold = on & (times < rng.uniform(20, 160))
        champion.errors[cold] += rng.uniform(0.02, 0.4)
        champion.median[cold] *= rng.uniform(2, 10)
    elif kind == "slow decay":
        champion.errors += np.where(on, times / after, 0) * rng.uniform(0.01, 0.06)
    elif kind == "scrape gap":
        gap = on & (times < rng.uniform(60, 1500))
        for one in [champion, control] if rng.random() < 0.5 else [champion]:
            one.known &= ~gap
    else:
        made.since = 0.0
        _regress(champion, on, rng)
        (_outage([champion, control], times, rng) if rng.random() < 0.5 else _spike(champion, times, rng))
    return made


def _regress(one: Service, on: NDArray[np.bool_], rng: np.random.Generator) -> None:
    """Sharp: 4 to 60 % errors, or a p99 of 0.7 to 5 s, or both."""
    what = rng.integers(3)
    if what != 1:
        one.errors[on] += math.exp(rng.uniform(math.log(0.04), math.log(0.6)))
    if what != 0:
        p99 = math.exp(rng.uniform(math.log(0.7), math.log(5)))
        one.median[on] = p99 / math.exp(2.326 * one.spread)


def _outage(hit: list[Service], times: Array, rng: np.random.Generator) -> None:
    """Shared: errors, slowness or both, each service its own share of it, for 5 to 45 minutes."""
    during = (times > 0) & (times < rng.uniform(300, 2700))
    errors, slower, what = math.exp(rng.uniform(math.log(0.03), math.log(0.8))), rng.uniform(2, 12), rng.integers(3)
    for one in hit:
        if what != 1:
            one.errors[during] += min(errors * math.exp(rng.normal(0, 0.4)), 1)
        if what != 0:
            one.median[during] *= 1 + (slower - 1) * math.exp(rng.normal(0, 0.3))


def _spike(one: Service, times: Array, rng: np.random.Generator) -> None:
    """Four to twelve times the traffic within minutes; the service is too small for it, the control is not."""
    ramp, length, top = rng.uniform(30, 180), rng.uniform(300, 2400), rng.uniform(4, 12)
    shape = np.clip(times / ramp, 0, 1) * (times < length)
    one.rate *= 1 + (top - 1) * shape
    one.errors += shape * rng.uniform(0, 0.3)
    one.median *= 1 + shape * rng.uniform(1, 10)


def rolled_back(made: Incident, rng: np.random.Generator, rule: Callable[..., bool]) -> float | None:
    """Seconds after the onset at which the rule rolls back, None if it never does."""
    step = float(made.times[1] - made.times[0])
    mine, theirs = made.champion.flows(rng, made.times, step), made.control.flows(rng, made.times, step)
    state: dict[str, int] = {}
    for now in np.arange(-600.0, float(made.times[-1]) + 1, LOOK):
        if rule(mine, theirs, float(now), made.since, state):
            return float(now) - made.onset
    return None


def ours(mine: dict[float, Flow], theirs: dict[float, Flow], now: float, since: float, state: object) -> bool:
    """Whether a reading asks for action, as the gate `slo` and the decision have it."""
    past = Past(since)
    for bad, limits in [(0.0, ERRORS), *((s, (limit,)) for s, limit in SLOW.items())]:
        # What is within its limit asks for nothing, which the core looks at first: it is spared the copies.
        beyond = [one for one in limits if _share(mine[bad], now, one.seconds) > one.share]
        if not beyond:
            continue
        seen = Seen(cut(mine[bad], now), cut(theirs[bad], now), cut(theirs[-1.0], now) if bad else None, since)
        for limit in beyond:
            try:
                reading = judge(seen, limit, TERMS, now)
            except Unknown:
                continue
            if reading.state is State.BREACH and reading.tier is Tier.ACT:
                return not forbids(past, Live().cool_down_s, now)
    return False


def usual(mine: dict[float, Flow], theirs: dict[float, Flow], now: float, since: float, state: dict[str, int]) -> bool:
    """The alert most teams write: errors above 2 %, or p99 above 500 ms, over a minute, for 5 minutes."""
    bad = [(0.0, POLICY.errors), (POLICY.p99_ms / 1000, 0.01)]
    for name, limit in bad:
        one = mine[name].between(now - DELAY - 60, now - DELAY)
        key = f"{name}"
        state[key] = state.get(key, 0) + 1 if one.total and one.share > limit else 0
    return max(state.values()) > 300 / LOOK


def _share(flow: Flow, now: float, seconds: float) -> float:
    return flow.between(now - DELAY - 1 - seconds, now - DELAY).share


def cut(flow: Flow, now: float) -> Flow:
    """What has been scraped by `now`, as far back as it is looked at."""
    from bisect import bisect_right

    first, last = bisect_right(flow.times, now - 11_500), bisect_right(flow.times, now - DELAY)
    return Flow(flow.times[first:last], flow.total[first:last], flow.bad[first:last])


def month(seed: int, number: int) -> tuple[int, bool]:
    """(false rollbacks, whether the usual rule had any) in 30 days without a regression: traffic by day and night, a
    promotion a week with a warm-up burst, an error burst a day, two outages, four traffic spikes, four scrape gaps.
    """
    rng = np.random.default_rng((seed, 10_000 + number))
    step, steps = 30.0, 86_400
    times = (np.arange(steps) + 1) * step
    champion, control = Service.usual(rng, steps), Service.usual(rng, steps)
    for one in (champion, control):
        one.rate *= 1 + 0.8 * np.sin(times / 86_400 * 2 * math.pi)
    promotions = np.sort(rng.uniform(0, times[-1], 4))
    for at in promotions:
        cold = (times > at) & (times < at + rng.uniform(20, 160))
        champion.errors[cold] += rng.uniform(0.02, 0.4)
        champion.median[cold] *= rng.uniform(2, 10)
    for at in (np.arange(30) + rng.uniform(0, 0.99, 30)) * 86_400:
        blip = (times > at) & (times < at + rng.uniform(10, 80))
        champion.errors[blip] += rng.uniform(0.02, 0.5)
    for at in rng.uniform(0, times[-1], rng.poisson(2)):
        _outage([champion, control], times - at, rng)
    for at in rng.uniform(0, times[-1], rng.poisson(4)):
        _spike(champion, times - at, rng)
    for at in rng.uniform(0, times[-1], rng.poisson(4)):
        champion.known &= ~((times > at) & (times < at + rng.uniform(60, 900)))
    return _false(champion, control, times, promotions, rng)


def _false(
    champion: Service, control: Service, times: Array, promotions: Array, rng: np.random.Generator
) -> tuple[int, bool]:
    """Only looks whose plain share is beyond a limit can roll back (the core asks that first), so only those are
    judged: the counts of all others need not be made into flows.
    """
    step = float(times[1] - times[0])
    total = rng.poisson(champion.rate * step).astype(float)
    bad = {
        name: rng.poisson(champion.rate * step * share)
        for name, share in [(0.0, champion.errors), *((s, champion.slower_than(s)) for s in SLOW)]
    }
    candidates: set[int] = set()
    for name, limits in [(0.0, ERRORS), *((s, (limit,)) for s, limit in SLOW.items())]:
        for limit in limits:
            width = round(limit.seconds / step)
            sums = [np.concatenate(([0.0], np.cumsum(np.where(champion.known, one, 0)))) for one in (bad[name], total)]
            wrong, every = (one[width:] - one[:-width] for one in sums)
            candidates |= set((np.flatnonzero(wrong > limit.share * np.maximum(every, 1)) + width - 1).tolist())
    count, until = 0, -1.0
    span = round(12_000 / step)
    for place in sorted(candidates):
        if times[place] < until:
            continue
        part = slice(max(0, place - span), place + 1)
        mine = _flows(times[part], total[part], {n: b[part] for n, b in bad.items()}, champion.known[part])
        beside = replace(
            control,
            rate=control.rate[part],
            errors=control.errors[part],
            median=control.median[part],
            known=control.known[part],
        )
        theirs = beside.flows(np.random.default_rng(place), times[part], step)
        earlier = promotions[promotions <= times[place]]
        since = float(earlier[-1]) if len(earlier) else -1e6
        if ours(mine, theirs, float(times[place]) + DELAY, since, None):
            count, until = count + 1, float(times[place]) + Live().cool_down_s
    return count, any(_alarms(bad[name], total, limit) for name, limit in ((0.0, 0.02), (0.5, 0.01)))


def _alarms(bad: Array, total: Array, limit: float) -> bool:
    """The usual rule: above the limit over a minute, at more than ten looks in a row."""
    wrong, every = bad[1:] + bad[:-1], total[1:] + total[:-1]
    runs = np.convolve(wrong > limit * np.maximum(every, 1), np.ones(11), "valid")
    return bool((runs == 11).any())


def _flows(times: Array, total: Array, bad: dict[float, Array], known: NDArray[np.bool_]) -> dict[float, Flow]:
    def of(values: Array) -> tuple[float | None, ...]:
        return tuple(float(v) if k else None for v, k in zip(values.tolist(), known.tolist(), strict=True))

    every = of(total)
    return {name: Flow(tuple(times.tolist()), every, of(np.minimum(one, total))) for name, one in bad.items()}


def _above(z: Array) -> Array:
    """P(Z > z) of a standard normal, by Abramowitz & Stegun 26.2.17 (error below 1e-7)."""
    t = 1 / (1 + 0.2316419 * np.abs(z))
    poly = t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
    tail = np.exp(-z * z / 2) / math.sqrt(2 * math.pi) * poly
    return np.where(z >= 0, tail, 1 - tail)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--incidents", type=int, default=500)
    parser.add_argument("--months", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began = time.monotonic()
    found: dict[str, list[tuple[float | None, float | None]]] = {kind: [] for kind in KINDS}
    for number in range(given.incidents):
        kind = list(KINDS)[
            int(np.searchsorted(np.cumsum(list(KINDS.values())), number * 100 // given.incidents, side="right"))
        ]
        made = drawn(kind, np.random.default_rng((given.seed, number)))
        times = [rolled_back(made, np.random.default_rng((given.seed, number, 7)), rule) for rule in (ours, usual)]
        found[kind].append((times[0], times[1]))
    print(f"{'incident':24}{'n':>5}  {'rolled back':>12}  {'median':>8}   {'usual rule':>12}  {'median':>8}")
    for kind, pairs in found.items():
        cells = []
        for which in (0, 1):
            took = [pair[which] for pair in pairs if pair[which] is not None]
            middle = f"{np.median(took):.0f} s" if took else "-"
            cells.append(f"{len(took):4d} ({len(took) / max(len(pairs), 1):4.0%})  {middle:>8}")
        print(f"{kind:24}{len(pairs):5}  {cells[0]:>22}   {cells[1]:>22}")
    with ProcessPoolExecutor(max_workers=2, mp_context=get_context("spawn")) as pool:
        false = list(pool.map(month, [given.seed] * given.months, range(given.months), chunksize=10))
    wrong, rate = sum(count for count, _ in false), sum(count > 0 for count, _ in false) / max(given.months, 1)
    theirs = sum(usual for _, usual in false) / max(given.months, 1)
    print(
        f"months without a regression: {given.months}, false rollbacks: {wrong}, months with one: {rate:.2%}"
        f" (usual rule: {theirs:.0%})"
    )
    print(f"took {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
