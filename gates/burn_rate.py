"""The error budget lasts: it is not proven to burn 10 times too fast over an hour, nor 3 times over six, each also over
a twelfth of that time, so that what is over does not count.

Phase live. A person is asked, for what burns slowly is seldom the model of this morning.
"""

import pytest

from pytest_mlgates import Finding, not_above
from pytest_mlgates.measure.live.slo import burn_rates


@pytest.mark.burn_rate
def test_burn_rate(gate, watched):
    for evidence, limit in burn_rates(watched(), gate.policy, gate.pins.past):
        gate.judge(evidence, explained(not_above(limit)))


def explained(rule):
    """Whose fault it is belongs to the finding."""

    def with_why(evidence):
        finding, why = rule(evidence), evidence.details["why"]
        said = finding.sentence if not why or evidence.cannot_say else f"{finding.sentence}; {why}"
        return Finding(finding.verdict, said, finding.limit)

    return with_why
