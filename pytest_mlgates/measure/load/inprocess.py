"""How long the model itself takes to answer, without a server or a network."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from pytest_mlgates.evidence import Evidence
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.measure.load.quantile import SPENT, latency_at_look
from pytest_mlgates.measure.load.samples import histogram
from pytest_mlgates.model import Model
from pytest_mlgates.policy import InprocessLatency

_PAYLOADS = 50


def answering_time(benchmark: Any, golden: GoldenSet, model: Model, policy: InprocessLatency) -> Evidence:
    """p99 of the rounds that pytest-benchmark's fixture times, with its interval, widened for slow spells.

    A round is one question to the process that holds the model, handing the rows over included. Raises
    CouldNotEvaluate when the model does not answer.
    """
    import numpy as np

    if getattr(benchmark, "disabled", True):
        return Evidence("p99", None, unit=" ms", cannot_say="pytest-benchmark is disabled, so nothing was timed")
    rng = np.random.default_rng(policy.seed)
    chosen = rng.choice(len(golden), (_PAYLOADS, policy.rows), replace=_PAYLOADS * policy.rows > len(golden))
    frames = itertools.cycle([golden.X.iloc[rows] for rows in chosen])
    benchmark.extra_info.update(model=str(model.pinned), digest=model.digest, rows=policy.rows)
    benchmark.pedantic(
        model.predict, setup=lambda: ((next(frames),), {}), rounds=policy.rounds, warmup_rounds=policy.warm_up
    )
    times = 1000 * np.asarray(benchmark.stats.stats.data)
    # One look only, so it may spend all of alpha.
    figures = {q: latency_at_look(times, 0, quantile=q, alpha=policy.alpha / SPENT[0]) for q in (0.5, 0.9, 0.99)}
    judged = figures[0.99]
    assert judged.interval is not None
    shown = {f"p{100 * q:g}": one.value for q, one in figures.items()}
    details = {
        "quantiles_ms": shown,
        "design_effect": judged.details["design_effect"],
        "histogram": histogram(times),
        "rows": policy.rows,
        "rounds_in_warm_up": policy.warm_up,
        "seed": policy.seed,
    }
    return replace(judged, interval=replace(judged.interval, method="order statistics"), details=details)
