"""Training saw only what was known at the time: no value from after its event, every event there once, nothing
impossible, and no value so old that the online store would have dropped it (time to live: twice the interval
and half an hour, and as long as a feature looks back).
"""

import pytest

from pytest_mlgates import CouldNotEvaluate, at_least, at_most
from pytest_mlgates.measure import point_in_time as measured


@pytest.mark.point_in_time
def test_point_in_time(gate, feast_views):
    policy, base = gate.policy, gate.settings.base
    table = measured.feature_table(base, policy)
    for evidence in (
        *measured.later_values(table, policy),
        *measured.backfill(table, base, policy),
        *measured.impossible_values(table, policy),
    ):
        gate.judge(evidence, at_most(0))
    for evidence in measured.expired_values(table, policy):
        gate.judge(evidence, at_most(policy.expired))
    lives = {"": policy.ttl} if policy.ttl else {}
    lives |= feast_views(policy.feast) if policy.feast else {}
    needed = measured.hours_needed(policy)
    if lives and needed is None:
        raise CouldNotEvaluate("a time to live is held against how often values are written: declare interval")
    for view, ttl in lives.items():
        gate.judge(measured.hours_to_live(ttl, view), at_least(needed))
