"""The challenger is not worse than the champion on the golden rows, on every configured metric, and not worse than the
golden set's first champion either: a tolerated loss at every release would add up. Metrics in `better` must gain.

With no champion yet, the floors of ``[tool.mlgates.first_promotion]`` are judged instead.
"""

import pytest

from pytest_mlgates import at_least, at_most, better_by, not_below, not_worse_than
from pytest_mlgates.measure.quality import first_floors, floor, gain, metrics_of


@pytest.mark.golden_regression
def test_golden_regression(gate, golden_set, champion, challenger, first_champion):
    policy, settings = gate.policy, gate.settings
    if champion is None:
        for metric, limit in first_floors(settings):
            rule = at_least(limit) if metric.direction == "higher" else at_most(limit)
            gate.judge(floor(metric, golden_set, challenger, settings), rule)
        return
    for metric, margin, better in metrics_of(policy, settings):
        evidence = gain(metric, margin, golden_set, champion, challenger, policy, settings, better=better)
        limits = evidence.details
        gate.judge(evidence, not_worse_than(limits["margin"]) if better is None else better_by(limits["better"]))
    first = first_champion() if policy.anchor != "off" else None
    if first is None:
        return
    for metric, margin, _ in metrics_of(policy, settings):
        evidence = gain(metric, margin, golden_set, first, challenger, policy, settings, over=f"v{first.version}")
        margin = evidence.details["margin"]
        gate.judge(evidence, not_worse_than(margin) if policy.anchor == "prove" else not_below(-margin))
