"""What the model receives live is what it was taught on: no feature's stability index is proven above 0.2, none is
missing, constant, full of nulls or of values that training never had, and the scores have not moved either.

What moved further than drift goes, or as only a broken pipeline moves it, is called sudden; the rest gradual.
"""

import pytest

from pytest_mlgates import Finding, Verdict, at_most
from pytest_mlgates.measure.skew.sample import skew
from pytest_mlgates.measure.skew.scores import score_drift


@pytest.mark.skew
def test_skew(gate, live_windows, mlgates_run):
    reference, sample = live_windows
    for evidence in skew(reference, sample, gate.policy, gate.settings.reserved_columns):
        gate.judge(evidence, as_in_training(gate.policy))
    for evidence in score_drift(reference, sample, mlgates_run, gate.policy, gate.settings):
        gate.judge(evidence, as_in_training(gate.policy))


def as_in_training(policy):
    """Beyond its limit or proven broken: FAIL. Within: PASS, with a remark when it is worth watching."""

    def rule(evidence):
        limit = policy.cosine if evidence.measure == "cosine distance" else policy.psi
        finding = at_most(limit)(evidence)
        said, sudden = finding.sentence, evidence.details.get("sudden")
        if sudden and evidence.measure != "largest psi":
            figures = f" ({said})" if evidence.interval else ""
            return Finding(Verdict.FAIL, f"sudden [{evidence.where}]: {'; '.join(sudden)}{figures}", "as in training")
        if evidence.details.get("gradual"):
            said = f"gradual: {said}"
        elif finding.verdict is Verdict.PASS and evidence.value > policy.watch:
            said += f"; watch it: above {policy.watch:g}"
        remark = evidence.details.get("remark")
        return Finding(finding.verdict, f"{said}; {remark}" if remark else said, finding.limit)

    return rule
