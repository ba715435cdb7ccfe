"""The model itself answers in time, without a server or a network: p99 is proven to be 50 ms or less.

Timed by pytest-benchmark, whose options store and compare the results. Beside other tests (`-n`) it is inconclusive.
"""

import pytest

from pytest_mlgates import CouldNotEvaluate, at_most
from pytest_mlgates.measure.load.inprocess import answering_time


@pytest.mark.inprocess_latency
def test_inprocess_latency(gate, golden_set, challenger, stopwatch):
    if challenger is None:
        raise CouldNotEvaluate("there is no challenger to time")
    gate.judge(answering_time(stopwatch, golden_set, challenger, gate.policy), at_most(gate.policy.p99_ms))
