"""The golden set can be trusted to judge: enough rows a class, few that contradict each other, no feature or linear
model that gives the label away, no rows that the training data holds too, and not too old.

A share or an AUC fails only when it is proven above its limit; what could hide below is in the details.
"""

import pytest

from pytest_mlgates import Finding, Verdict, at_least, at_most, is_true, not_above
from pytest_mlgates.measure.golden.giveaway import feature_auc, linear_auc
from pytest_mlgates.measure.golden.leakage import leaks
from pytest_mlgates.measure.golden.validity import contradictions, fresh, rarest_class


@pytest.mark.golden_validity
def test_golden_validity(gate, golden_set, golden_history, training_data):
    policy = gate.policy
    gate.judge(rarest_class(golden_set, gate.settings), at_least(10))
    gate.judge(fresh(golden_set, golden_history, policy), advised(policy))
    if gate.settings.task != "regression":
        gate.judge(contradictions(golden_set, policy), not_above(policy.contradictions))
        gate.judge(feature_auc(golden_set, policy), not_above(policy.max_feature_auc))
        gate.judge(linear_auc(golden_set, policy), not_above(policy.linear_auc))
    if policy.training:
        for evidence in leaks(golden_set, training_data(), gate.settings, policy):
            gate.judge(evidence, at_most(0) if policy.identifier else not_above(policy.leak))


def advised(policy):
    """Age is said; it holds only where the settings say `refresh = "block"`."""

    def rule(evidence):
        finding = is_true(f"{policy.refresh_days} days or younger")(evidence)
        verdict = Verdict.INCONCLUSIVE if policy.refresh == "block" else Verdict.PASS
        return Finding(verdict, finding.sentence, finding.limit) if finding.verdict is Verdict.FAIL else finding

    return rule
