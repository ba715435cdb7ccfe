"""Past its capacity the endpoint refuses at once (HTTP 429 or 503) instead of letting everybody wait, and is back to
normal 5 seconds after. On request only: it is pushed until it is too much, so never point this at what serves people.
"""

import pytest

from pytest_mlgates import at_most
from pytest_mlgates.measure.load.overload import past_capacity


@pytest.mark.overload
def test_overload(gate, golden_set, load, endpoint):
    policy = gate.policy
    burst, recovery = past_capacity(load, endpoint, golden_set, policy, gate.progress)
    for evidence in burst:
        gate.judge(evidence, at_most(policy.errors))
    gate.judge(recovery, at_most(policy.recover_s))
