"""The model keeps what it must on rows that nobody has seen. Answers are finite and within the declared range, the same
alone and in a batch, whatever the order of columns; odd cells (unknown category, null, wrong type, missing column,
extreme value) and rows that a kill switch names are refused or get the declared safe value; declared directions and
invariances hold.

Hypothesis makes the rows up from the golden contract. A counter-example is shrunk, printed as a test to paste, kept in
the evidence, and tried first next time.
"""

import pytest

from pytest_mlgates import is_true
from pytest_mlgates.measure.behaviour import behaviours


@pytest.mark.behaviour
def test_behaviour(gate, golden_set, answering, declared):
    manifest, baseline = declared()
    asked = (golden_set, answering(), manifest, baseline)
    for evidence in behaviours(*asked, gate.policy, gate.settings, gate.progress):
        gate.judge(evidence, is_true("no counter-example"))
