"""The challenger is better: the AUC gain is proven above 0 and is 0.005 or more (the policy's `gain`).

With ``better = false`` it is the picture of "not worse" and follows golden_regression.
"""

import pytest

from pytest_mlgates import Evidence, better_by, is_true, not_worse_than
from pytest_mlgates.measure.bootstrap import auc_gain


@pytest.mark.bootstrap_auc
def test_bootstrap_auc(gate, golden_set, champion, challenger):
    if champion is None:
        reason = {"reason": "there is no champion to be better than; golden_regression judges the floors"}
        gate.judge(Evidence("first promotion", 1, len(golden_set), details=reason), is_true("no champion yet"))
        return
    evidence = auc_gain(golden_set, champion, challenger, gate.policy)
    policy = gate.policy
    gate.judge(evidence, better_by(policy.gain) if policy.better else not_worse_than(policy.margin))
