"""What serves is not too old: the champion was trained in the last 90 days (the policy's `days`), by its run or its tag
`mlgates.trained_at`.

Phase live. For review: age alone harms nobody today.
"""

import pytest

from pytest_mlgates import at_most
from pytest_mlgates.measure.live.age import age


@pytest.mark.staleness
def test_staleness(gate, trained):
    gate.judge(age(gate.pins, trained), at_most(gate.policy.days))
