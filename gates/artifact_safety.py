"""Nothing is loaded before it is known: every file of every version that will be loaded is hashed against the digest on
record and read without executing it. What its pickles, schemas and settings name must be on the list of what a model of
its flavour needs; code that travels with a model needs a digest that the settings trust.

What a model that was loaded then tries although it may not (a socket, a file that is none of its business, a process)
is refused there and listed in the evidence and on the page, with the protection that refused it; that is no verdict.
"""

import pytest

from pytest_mlgates import is_true
from pytest_mlgates.measure.artifact import isolated, known_files


@pytest.mark.artifact_safety
def test_artifact_safety(gate, isolation):
    missing = isolation()
    for evidence in known_files(gate.pins, gate.policy, missing):
        gate.judge(evidence, is_true("recorded files that run nothing"))
    if gate.policy.require_isolation:
        gate.judge(isolated(missing), is_true("every protection holds"))
