"""The golden set is the frozen one: its bytes hash to what the DVC pointer pins, and every label is there."""

import pytest

from pytest_mlgates import is_true
from pytest_mlgates.measure.golden.integrity import golden_bytes


@pytest.mark.mlgate("golden_integrity", stage="identity")
def test_golden_integrity(gate, golden_set):
    gate.judge(golden_bytes(golden_set, gate.pins.golden), is_true("bytes match the pointer"))
