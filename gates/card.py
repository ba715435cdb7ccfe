"""The model card that a promotion makes would be complete: owner, intended use and limits are written in
``[tool.mlgates.card]``, and the version records where it came from.
"""

import pytest

from pytest_mlgates import CouldNotEvaluate, is_true
from pytest_mlgates.measure.card import complete


@pytest.mark.mlgate("card", stage="data")
def test_card(gate):
    version = gate.pins.subject
    if version is None:
        raise CouldNotEvaluate(gate.pins.problem)
    gate.judge(complete(gate.settings.card, version.version.tags), is_true("nothing is missing"))
