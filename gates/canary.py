"""The live endpoint is right: it answers golden rows as the champion itself does, within 0.01 %, at one of three tries.

Phase live. Answers of 200 in 50 ms can be wrong all the same. A person is asked: a wrong answer is as often another
version, other features or another environment behind the URL as it is the model.
"""

import pytest

from pytest_mlgates import at_most
from pytest_mlgates.measure.live.canary import canary


@pytest.mark.canary
def test_canary(gate, served_now):
    evidence = canary(served_now, gate.policy, gate.pins, gate.settings)
    gate.judge(evidence, at_most(gate.policy.tolerance))
