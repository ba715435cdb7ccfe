"""The challenger is not worse than the champion on the golden rows, on every configured metric.

With no champion yet, the floors of ``[tool.mlgates.first_promotion]`` are judged instead.
"""

import pytest

from pytest_mlgates import at_least, at_most, not_worse_than
from pytest_mlgates.measure.quality import first_floors, floor, gain, metrics_of


@pytest.mark.golden_regression
def test_golden_regression(gate, golden_set, champion, challenger):
    if champion is None:
        for metric, limit in first_floors(gate.settings):
            rule = at_least(limit) if metric.direction == "higher" else at_most(limit)
            gate.judge(floor(metric, golden_set, challenger, gate.settings), rule)
        return
    for metric, margin in metrics_of(gate.policy, gate.settings):
        evidence = gain(metric, margin, golden_set, champion, challenger, gate.policy, gate.settings)
        gate.judge(evidence, not_worse_than(evidence.details.get("margin", margin)))
