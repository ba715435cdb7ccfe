"""Now that the labels are known: the champion is not proven worse than the one before it would have been on the same
rows, by more than 0.005 ROC AUC (the policy's `margin`, on its `metric`).

Phase live. For review: what decays slowly decays for the former champion too, and then nobody is to blame.
"""

import pytest

from pytest_mlgates import not_below
from pytest_mlgates.measure.live.quality import rolling_gain


@pytest.mark.rolling_quality
def test_rolling_quality(gate, live_rows, golden_set, champion, former_champion):
    policy, problem = gate.policy, gate.pins.former_problem
    evidence = rolling_gain(live_rows(), golden_set, champion, former_champion, problem, policy, gate.settings)
    gate.judge(evidence, not_below(-policy.margin if evidence.value is None else -evidence.details["margin"]))
