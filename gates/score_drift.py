"""The scores given live are spread as the champion's own on the golden set: their stability index is not proven above
0.1. The Kolmogorov-Smirnov distance stands beside it; of enough rows its p-value is small for a shift that matters to
nobody, so it decides nothing.

Phase live. A person is asked.
"""

import pytest

from pytest_mlgates import not_above
from pytest_mlgates.measure.live.scores import live_scores


@pytest.mark.score_drift
def test_score_drift(gate, live_rows, mlgates_run):
    evidence = live_scores(live_rows(), mlgates_run, gate.policy, gate.settings)
    gate.judge(evidence, not_above(gate.policy.psi))
