"""What other tools found holds here too: a JUnit file, figures of mlflow.evaluate, results of deepchecks or evidently,
each as `[[tool.mlgates.imported]]` names it. Every one of their tests must have run and passed; a file that is absent,
stale, empty, cut off or of another form is ERROR, and so is a test that crashed or was skipped.
"""

import pytest

from pytest_mlgates import Finding, Verdict, is_true
from pytest_mlgates.measure.imported import imported_results


@pytest.mark.mlgate("imported")
def test_imported(gate):
    for evidence in imported_results(gate.settings):
        gate.judge(evidence, every_test_passed)


def every_test_passed(evidence):
    told, limit = evidence.details, "every test passed"
    if "reason" in told:
        return Finding(Verdict.ERROR, f"{evidence.measure}: {told['reason']}", limit)
    words = f"{evidence.measure}: no: {'; '.join(told['not_passed'][:3])}"
    if told["failed"]:
        return Finding(Verdict.FAIL, words, limit)
    if told["crashed"] or told["skipped"]:
        return Finding(Verdict.ERROR, words, limit)
    if told["warned"]:
        return Finding(Verdict.INCONCLUSIVE, words, limit)
    return is_true(limit)(evidence)
