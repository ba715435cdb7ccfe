"""What serves keeps its promises: errors are not proven above 2 % for 5 minutes (5 % for 2), nor p99 above 500 ms for 5
(1 s for 5), in every part of that time, after a burn-in, on enough requests.

Phase live. Only a champion that is proven worse than what runs beside it, or than what it replaced, is rolled back;
when everything is slow, a person is told. Without data nothing is done, and nothing is said to be well.
"""

import pytest

from pytest_mlgates import Finding, not_above, not_below
from pytest_mlgates.measure.live.slo import slo


@pytest.mark.slo
def test_slo(gate, watched):
    for evidence, limit in slo(watched(), gate.policy, gate.pins.past):
        gate.judge(evidence, explained(not_below(limit) if evidence.measure == "available" else not_above(limit)))


def explained(rule):
    """Whose fault it is belongs to the finding."""

    def with_why(evidence):
        finding, why = rule(evidence), evidence.details["why"]
        said = finding.sentence if not why or evidence.cannot_say else f"{finding.sentence}; {why}"
        return Finding(finding.verdict, said, finding.limit)

    return with_why
