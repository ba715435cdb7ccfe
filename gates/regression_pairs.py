"""What the champion has right stays right: rows that the challenger turns wrong (negative flips) are proven 5 % or less
of the golden set, and no slice is proven above 10 %. Flips and the largest score moves are in the evidence.

A regression has no flips; there the largest move of a score is judged, by the limit that the settings must name.
"""

import pytest

from pytest_mlgates import Evidence, at_most, is_true, not_above
from pytest_mlgates.measure.regression_pairs import negative_flips, score_moves


@pytest.mark.regression_pairs
def test_regression_pairs(gate, golden_set, champion, challenger):
    policy, settings = gate.policy, gate.settings
    if champion is None:
        reason = {"reason": "there is no champion whose right answers could be lost"}
        gate.judge(Evidence("first promotion", 1, len(golden_set), details=reason), is_true("no champion yet"))
        return
    if settings.task != "regression":
        whole, worst = negative_flips(golden_set, champion, challenger, policy, settings)
        gate.judge(whole, at_most(policy.negative_flips))
        if worst is not None:
            gate.judge(worst, not_above(policy.slice_flips))
    if policy.largest_move is not None or settings.task == "regression":
        moves = score_moves(golden_set, champion, challenger, policy, settings)
        gate.judge(moves, at_most(policy.largest_move))
