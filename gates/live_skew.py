"""The last window of what the model received is what it was taught on: the gate `skew`, on the champion.

Phase live. A feature that broke suddenly asks a person; one that drifts is for review.
"""

import pytest

from pytest_mlgates import Finding, Verdict, at_most
from pytest_mlgates.measure.live.skew import live_skew


@pytest.mark.live_skew
def test_live_skew(gate, last_window):
    policy, reference, sample = last_window()
    for evidence in live_skew(reference, sample, policy, gate.settings.reserved_columns):
        gate.judge(evidence, as_in_training(policy))


def as_in_training(policy):
    """Beyond its limit or proven broken: FAIL."""

    def rule(evidence):
        finding = at_most(policy.cosine if evidence.measure == "cosine distance" else policy.psi)(evidence)
        sudden = evidence.details.get("sudden")
        if sudden and evidence.measure != "largest psi":
            return Finding(Verdict.FAIL, f"sudden [{evidence.where}]: {'; '.join(sudden)}", "as in training")
        return finding

    return rule
