"""The pytest plugin's door: options and markers. Everything else is imported only when ``--mlgate`` is given."""

from __future__ import annotations

import pytest

_MARKERS = (
    "mlgate(name, *, stage='quality', phase='promotion', timing=False, tier='ask'): a release gate of this name",
    "golden_regression(**policy): a gate: not worse than the champion on each metric",
    "bootstrap_auc(**policy): a gate: a proven gain in ROC AUC",
    "slices(**policy): a gate: no part of the golden set is harmed",
    "regression_pairs(**policy): a gate: what the champion has right stays right",
    "behaviour(**policy): a gate: what it must keep on rows that nobody has seen",
    "inference_hygiene(**policy): a gate on how a torch model answers",
    "manifest(**policy): a gate: the model is as its manifest says, and explains itself so",
    "golden_validity(**policy): a gate: nothing makes the golden set useless for judging",
    "point_in_time(**policy): a gate: training saw only what was known at the time",
    "parity(**policy): a gate: training and serving make the same features of the same rows",
    "latency(**policy): a gate on answering times over HTTP, under load",
    "inprocess_latency(**policy): a gate on the answering times of the model itself",
    "golden_record(**policy): a gate: the endpoint answers as the model itself",
    "memory(**policy): a gate on the memory that requests leave behind",
    "overload(**policy): a gate: past capacity it refuses fast and recovers",
    "fairness(**policy): a gate on how groups are treated",
    "skew(**policy): a gate on training against serving data",
    "artifact_safety(**policy): a gate: the files are the recorded ones and would run nothing when loaded",
    "env_lock(**policy): a gate on the environment",
    "rollback_drill(**policy): a gate on the way back, phase drill",
    "slo(**policy): a gate on errors and answering times of what serves, phase live",
    "burn_rate(**policy): a gate on the error budget of what serves, phase live",
    "score_drift(**policy): a gate on the scores of what serves, phase live",
    "live_skew(**policy): a gate on what the serving model receives, phase live",
    "rolling_quality(**policy): a gate on labels that came late, phase live",
    "staleness(**policy): a gate on the age of what serves, phase live",
    "canary(**policy): a gate: the live endpoint answers the golden record right, phase live",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mlgates", "release gates for machine-learning models")
    group.addoption("--mlgate", action="store_true", help="judge the challenger; change nothing")
    group.addoption("--mlgate-apply", action="store_true", help="act on the decision: promote, hold or roll back")
    group.addoption("--mlgate-record", action="store_true", help="record that this challenger was judged, and no more")
    group.addoption("--mlgate-phase", metavar="PHASE", help="promotion (default), live or drill")
    group.addoption("--mlgate-model", metavar="NAME", help="which model of the settings")
    group.addoption("--mlgate-champion", metavar="REF", help="alias or stage:NAME that serves (default: champion)")
    group.addoption(
        "--mlgate-challenger",
        metavar="REF",
        help="alias, version number, models:/ or runs:/ URI to judge (default: challenger)",
    )
    group.addoption("--mlgate-report", metavar="DIR", help="where evidence.json goes (default: .mlgates/report)")


def pytest_configure(config: pytest.Config) -> None:
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)
    if config.option.mlgate or any(name.startswith("pytest_mlgates_") for name in vars(config.hook)):
        # Without --mlgate only where somebody has written one: pytest refuses hooks that it does not know.
        from pytest_mlgates import hookspecs

        config.pluginmanager.add_hookspecs(hookspecs)
    if config.option.mlgate:
        from pytest_mlgates.session.controller import install

        install(config)
    elif not hasattr(config, "workerinput"):
        stray = [name for name in vars(config.option) if name.startswith("mlgate_") and getattr(config.option, name)]
        if stray:
            raise pytest.UsageError(f"--{stray[0].replace('_', '-')} does nothing without --mlgate: add --mlgate")
