"""No part of the golden set is harmed: a slice fails when its gain is beyond the margin (0.02) and harm is proven
after correcting for the number of slices. Slices with fewer than 10 rows in the rarer class are named and
do not block, unless they are declared `required`.
"""

import pytest

from pytest_mlgates import Evidence, at_least, is_true
from pytest_mlgates.measure.slices.judged import slice_gains


@pytest.mark.slices
def test_slices(gate, golden_set, champion, challenger):
    if champion is None:
        reason = {"reason": "there is no champion to compare slices with; golden_regression judges the floors"}
        gate.judge(Evidence("first promotion", 1, len(golden_set), details=reason), is_true("no champion yet"))
        return
    slices = slice_gains(golden_set, champion, challenger, gate.policy, gate.settings)
    gate.judge(slices.summary, is_true(f"no proven harm beyond {gate.policy.margin:g}"))
    for evidence in (*slices.harmed, *slices.untold):
        gate.judge(evidence, at_least(0))
