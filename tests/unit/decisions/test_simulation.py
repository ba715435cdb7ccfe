"""A small form of `python benchmarks/decisions`: no goal is missed by more than chance explains.

The usual rules go through the same simulation, which shows that it can tell right from wrong.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

from decisions import auc, groups, latency, parts, skew, suite, truth  # noqa: E402
from decisions.goals import Goal, table  # noqa: E402

#: Standard errors that the worst of many cells may lie beyond its limit.
ALLOWED = 2.8


def missed(goals: list[Goal]) -> list[str]:
    """The goals that are missed by more than chance; a cell is judged at the limit's own standard error."""
    late = []
    for goal in goals:
        if goal.limit is None:
            continue
        chance = ALLOWED * (goal.limit * (1 - goal.limit) / goal.trials) ** 0.5 if goal.share else 0.0
        if goal.ours < goal.limit - chance if goal.at_least else goal.ours > goal.limit + chance:
            late.append(f"{goal.name}: {goal.ours:.3f}, limit {goal.limit:g} +- {chance:.3f} {goal.remark}")
    return late


def as_usual(goals: list[Goal]) -> list[Goal]:
    return [Goal(g.name, g.usual, g.limit, None, g.trials, g.at_least) for g in goals if g.usual is not None]


def test_auc_goals() -> None:
    goals = auc.run(40, seed=1, sizes=(200, 500, 2_000))
    assert missed(goals) == []
    assert len(missed(as_usual(goals))) == 5, "every point rule misses its goal"


def test_slice_goals() -> None:
    goals = parts.run(60, seed=1, sizes=(200, 1_000))
    assert missed(goals) == []
    assert [line.split(":")[0] for line in missed(as_usual(goals))] == ["slices"]


def test_disparate_impact_goals() -> None:
    goals = groups.run(30, seed=1)
    assert missed(goals) == []
    assert len(missed(as_usual(goals))) == 3


def test_skew_goals() -> None:
    goals = skew.run(40, seed=1, sizes=(200, 1_000))
    assert missed(goals) == []
    assert goals[0].ours == 0, "no feature of 40 x 20 fails without a shift worth the name"
    assert goals[0].usual == 1


def test_latency_goals() -> None:
    goals = latency.run(60, seed=1)
    assert missed(goals) == []
    assert len(missed(as_usual(goals))) == 2


def test_suite_goal() -> None:
    goals = suite.run(99, seed=1, sizes=(500,))
    assert missed(goals) == []
    assert goals[0].usual is not None and goals[0].usual > 0.85


def test_a_broken_rule_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices without Holm, and a latency look that ignores bursts, each miss a goal."""
    monkeypatch.setattr("pytest_mlgates.stats.multiple.holm", np.asarray)
    assert missed(parts.run(40, seed=1, sizes=(1_000,))[:1])
    monkeypatch.setattr("pytest_mlgates.measure.load.quantile.SPENT", (4.0, 4.0, 4.0, 4.0))
    assert missed(latency.run(30, seed=1)[:1])


def test_the_truths_are_true() -> None:
    rng = np.random.default_rng(0)
    for traffic in (*latency.IID, *latency.BURSTY):
        slow = np.mean([np.mean(traffic.latencies(rng, 20_000, 200.0) > 200) for _ in range(20)])
        assert slow == pytest.approx(0.01, abs=0.0025), traffic.name
    rows = truth.noise(rng, 100_000, 0.1, 0.9)
    assert rows.y.sum() == 10_000
    assert np.corrcoef(rows.champion, rows.challenger)[0, 1] == pytest.approx(0.9, abs=0.005)
    from pytest_mlgates.stats.delong import single_auc

    assert single_auc(rows.y, rows.scores(0.8, 0.7)[1]).auc == pytest.approx(0.7, abs=0.01)
    from pytest_mlgates.measure.skew.psi import stability

    moved = stability(rng.normal(size=200_000), rng.normal(size=200_000) + truth.mean_shift(0.5), feature="x")
    assert moved.value == pytest.approx(0.5, abs=0.02)


def test_the_table_says_what_is_met() -> None:
    goals = [
        Goal("a", 0.04, 0.05, 0.5, 400),
        Goal("bb", 0.7, 0.75, None, 400, at_least=True, share=False),
        Goal("c", 0.25, None, None, 100, remark="said"),
    ]
    assert table(goals) == [
        "goal  limit     ours           usual rule  met",
        "a     <= 5.0 %  4.0 % +- 1.0   50.0 %      yes",
        "bb    >= 0.75   0.70           -           NO",
        "c     -         25.0 % +- 4.3  -           no goal  (said)",
    ]


def test_one_command_prints_it_and_its_exit_code_tells() -> None:
    command = [sys.executable, str(BENCHMARKS / "decisions"), "--repeats", "20", "--only", "skew"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0
    assert "skew: fail at PSI .01, worst n" in done.stdout
