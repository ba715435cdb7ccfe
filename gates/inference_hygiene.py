"""A torch model answers in eval mode, builds no gradient graph, changes none of its parameters and buffers, and leaves
no tensors or objects behind. For a model without a torch module, and without torch, the gate is an error.
"""

import pytest

from pytest_mlgates import is_true
from pytest_mlgates.measure.hygiene import hygiene


@pytest.mark.inference_hygiene
def test_inference_hygiene(gate, golden_set, challenger):
    for evidence in hygiene(golden_set, challenger, gate.policy, gate.settings.scoring_timeout):
        gate.judge(evidence, is_true("as it should be"))
