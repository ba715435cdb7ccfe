"""Groups of people are treated alike: in every sensitive column, each group's selection rate is proven at least 0.8 of
the reference group's (0.85 where the rows do not represent production), and no group is proven worse off than with
the champion. A group that is too small to tell is named and holds.

Demographic parity, equalized odds and each group's quality are reported, and judged where the policy sets a limit.
"""

import pytest

from pytest_mlgates import Finding, Verdict, at_least, at_most, is_true
from pytest_mlgates.measure.fairness.compared import fairness_figures


@pytest.mark.fairness
def test_fairness(gate, golden_set, champion, challenger):
    rules = {"at least": at_least, "at most": at_most, "true": is_true, "reported": reported}
    for figure in fairness_figures(golden_set, champion, challenger, gate.policy, gate.settings):
        gate.judge(figure.evidence, rules[figure.asked](figure.limit))


def reported(words):
    """No limit is set: the figure is shown and holds nothing."""

    def rule(evidence):
        said = evidence.cannot_say or evidence.details.get("reason", "no limit is set")
        return Finding(Verdict.PASS, f"{evidence.title}: {said}", words)

    return rule
