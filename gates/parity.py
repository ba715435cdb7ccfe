"""Training and serving make the same features of the same raw rows, value by value, within 0.01 %.

The first field that diverges is named with both values, in the order in which training has its fields.
"""

import pytest

from pytest_mlgates import Finding, at_most
from pytest_mlgates.measure.parity import diverging, raw_rows


@pytest.mark.parity
def test_parity(gate, training_features, serving_features):
    rows = raw_rows(gate.settings.base, gate.policy)
    gate.judge(diverging(rows, training_features, serving_features, gate.policy), none_diverge)


def none_diverge(evidence):
    finding = at_most(0)(evidence)
    told = evidence.details["diverging"]
    return Finding(finding.verdict, f"diverging [{told[0]}]" if told else finding.sentence, finding.limit)
