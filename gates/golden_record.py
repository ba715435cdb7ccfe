"""The endpoint answers golden rows as the model itself does, within 0.01 %: the version, the features and the protocol
are the ones that were judged. Labels are compared with labels, scores with scores.
"""

import pytest

from pytest_mlgates import at_most
from pytest_mlgates.measure.golden_record import record_deviation


@pytest.mark.golden_record
def test_golden_record(gate, served):
    gate.judge(record_deviation(served, gate.policy.records), at_most(gate.policy.tolerance))
