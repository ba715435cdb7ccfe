"""The challenger is a new model: not the champion's version, files, or exact scores under another number.

`allow_identical = true` lets a pure refactor through.
"""

import pytest

from pytest_mlgates import Evidence, is_true
from pytest_mlgates.measure.sameness import novelty


@pytest.mark.mlgate("is_new", stage="quality")
def test_is_new(gate, golden_set, champion, challenger):
    if gate.settings.allow_identical:
        reason = {"reason": "identical models are allowed by the settings (allow_identical)"}
        gate.judge(Evidence("new", 1, len(golden_set), details=reason), is_true("waived by allow_identical"))
    else:
        gate.judge(novelty(golden_set, champion, challenger), is_true("differs from the champion"))
