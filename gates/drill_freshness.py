"""The way back was tried lately: the last drill on record passed, on this kind of cluster, in the last month.

Asked for where the settings name a cluster; `pytest --mlgate --mlgate-phase drill --mlgate-record` holds a drill.
"""

import pytest

from pytest_mlgates import Evidence, is_true
from pytest_mlgates.measure.drill import freshness


@pytest.mark.mlgate("drill_freshness", stage="data")
def test_drill_freshness(gate):
    settings, days = gate.settings, gate.settings.rollback_drill.fresh_days
    if gate.pins.champion is None and not gate.pins.problem:
        reason = {"reason": "there is no champion to come back to yet"}
        gate.judge(Evidence("first promotion", 1, 1, details=reason), is_true("no champion yet"))
        return
    gate.judge(freshness(gate.pins.drill, settings.cluster, days), is_true(f"passed in the last {days} days"))
