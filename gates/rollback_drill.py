"""There is a proven way back: on staging a dummy is deployed and the drill alias moved to it, both are rolled back, and
the original serves again, by run id and golden answers, in time and without a failed request.

Phase drill. Everything it makes is removed, also when it is killed: then by the next one.
"""

import pytest

from pytest_mlgates import at_most, is_true
from pytest_mlgates.measure import drill


@pytest.mark.rollback_drill
def test_rollback_drill(gate, drill_stage):
    drilled = drill.rehearse(drill_stage(), gate.policy.repeats, gate.progress)
    gate.judge(drill.restored(drilled), is_true("the original serves again"))
    gate.judge(drill.failed_requests(drilled, gate.policy), at_most(0))
    if drilled.restores:
        gate.judge(drill.time_to_restore(drilled), at_most(gate.policy.restore_s))
    if drilled.deploys:
        gate.judge(drill.time_to_deploy(drilled), at_most(gate.settings.cluster.rollout_s))
    drill.was_held(drilled)
