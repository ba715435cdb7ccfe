"""The golden set keeps its contract (columns, kinds, nulls, ranges, vocabularies), and the contract promises every
column that the model's signature asks for. Every column that breaks it is named.

`mlgates golden freeze` writes the contract beside the golden set.
"""

import pytest

from pytest_mlgates import is_true
from pytest_mlgates.measure.golden.contract import inputs, kept


@pytest.mark.mlgate("golden_contract", stage="data")
def test_golden_contract(gate, golden_set):
    for evidence in kept(golden_set):
        gate.judge(evidence, is_true("as frozen"))
    model = gate.pins.challenger or gate.pins.champion
    for evidence in inputs(golden_set, model.files, str(model)) if model else ():
        gate.judge(evidence, is_true("as frozen"))
