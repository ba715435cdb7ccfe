"""The environment a model was trained in is the one that serves it, to the last bit, and what the model imports is the
same where these gates score it. `mlgates lock` records the training environment with the version.
"""

import pytest

from pytest_mlgates import is_true
from pytest_mlgates.measure.env_lock import environments


@pytest.mark.env_lock
def test_env_lock(gate, locks):
    for evidence in environments(gate.pins, gate.policy, locks):
        gate.judge(evidence, is_true("the same environment"))
