"""Requests leave no memory behind: growth of the endpoint's resident memory, and of its graphics memory where it uses
some, is proven to be 512 bytes a request or less within 20,000 requests. Warm-up and one single step do not count.
"""

import pytest

from pytest_mlgates import at_most
from pytest_mlgates.measure.load.memory import left_behind


@pytest.mark.memory
def test_memory(gate, golden_set, endpoint, meter):
    for evidence in left_behind(endpoint, meter(endpoint), golden_set, gate.policy, gate.progress):
        gate.judge(evidence, at_most(gate.policy.leak))
