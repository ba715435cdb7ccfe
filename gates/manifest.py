"""The model is as its manifest says. Golden rows are answered within the declared range, kill switches hold, the
declared top features are the ones that SHAP measures (agreement proven 0.7 or more by a bootstrap over rows),
explanations add up to the model's own answers and come out the same again, and no forbidden or proxy feature carries
more than its declared share. What moved since the champion is shown, and judged where `moved` sets a limit.

A model that SHAP cannot explain is an error and never passes.
"""

import pytest

from pytest_mlgates import CouldNotEvaluate, Evidence, Finding, Verdict, at_least, at_most, is_true
from pytest_mlgates.measure import manifest as measured
from pytest_mlgates.measure.explanation import explained
from pytest_mlgates.measure.explanation_plot import plotted


@pytest.mark.manifest
def test_manifest(gate, golden_set, champion, challenger, declared):
    policy, settings = gate.policy, gate.settings
    manifest = measured.declared(golden_set, declared(baseline=False)[0], settings)
    gate.judge(measured.in_range(golden_set, challenger, manifest), is_true("as declared"))
    for evidence in measured.switches_hold(golden_set, challenger, manifest, settings.behaviour.timeout):
        gate.judge(evidence, is_true("as declared"))
    asked = manifest.explanation
    if asked is None:
        why = f"{policy.file} declares no explanation: `mlgates manifest` drafts one"
        gate.judge(Evidence("top features agree", None, cannot_say=why), at_least(policy.agreement))
        return
    found = explained(challenger, golden_set, asked, policy.seconds, settings)
    gate.judge(measured.agreement(found, asked, golden_set, policy), at_least(policy.agreement))
    gate.judge(measured.adds_up(found, asked), at_most(asked.tolerance))
    gate.judge(measured.same_again(found), at_most(0))
    for evidence, limit in measured.leaning(found, manifest, golden_set, policy, asked.seed):
        gate.judge(evidence, at_most(limit))
    if champion is None:
        return
    try:
        old = explained(champion, golden_set, asked, policy.seconds, settings)
    except CouldNotEvaluate as problem:
        old = str(problem)
    gate.judge(measured.moved(found, old), shown if policy.moved is None else at_most(policy.moved))
    gate.progress(plotted(settings.base, policy.plot, found, old))


def shown(evidence):
    """No limit is set: the figure is shown and holds nothing."""
    said = evidence.cannot_say or evidence.details["reason"]
    return Finding(Verdict.PASS, f"{evidence.title}: {said}", "no limit is set")
