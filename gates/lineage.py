"""The version can be followed back: its tags name the run, the commit, the training data, the environment and the
digest of its files, and each is still what they say. `mlgates stamp` and `stamp()` write them.
"""

import pytest

from pytest_mlgates import is_true
from pytest_mlgates.measure.lineage import traceable


@pytest.mark.mlgate("lineage", stage="identity")
def test_lineage(gate):
    for evidence in traceable(gate.pins.lineage, gate.pins.problem):
        gate.judge(evidence, is_true("recorded and true"))
