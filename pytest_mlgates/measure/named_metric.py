"""A metric by the name that the settings give it: a shipped one, a scikit-learn scorer, or a function of the user's."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_mlgates import extensions
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.importing import imported
from pytest_mlgates.settings import Settings
from pytest_mlgates.validation import did_you_mean

if TYPE_CHECKING:
    from pytest_mlgates.policy import Direction
    from pytest_mlgates.stats.metrics import Metric

_PINBALL = re.compile(r"pinball_(0?\.\d+)")
#: What makes a scorer of scikit-learn one.
_SCORER = "_score_func"


def named_metric(name: str, direction: Mapping[str, Direction], settings: Settings, place: str = "") -> Metric:
    """The metric called `name`, for the task of `settings`; `direction` says of a function what is better.

    ``package.module:function`` is imported with the settings' folder first on the path. `place` says where the name
    was written. Raises CouldNotEvaluate for a name that means nothing, a direction that is missing or contradicts,
    and a module that cannot be imported.
    """
    from pytest_mlgates.stats.metrics import METRICS
    from pytest_mlgates.stats.regression_metrics import pinball

    shipped = METRICS.get(name)
    if settings.task == "regression" and (quantile := _PINBALL.fullmatch(name)):
        shipped = pinball(float(quantile[1]))
    if shipped is not None and shipped.task == settings.task:
        if direction.get(name, shipped.direction) != shipped.direction:
            raise CouldNotEvaluate(f"of {name} {shipped.direction} is better: leave it out of `direction`")
        return shipped
    if name in extensions.known.metrics:
        return _own(name, extensions.known.metrics[name], direction, settings)
    if ":" in name:
        found = imported(name, settings.base, "the metric", "a function(y, scores) or a scorer")
        return _own(name, found, direction, settings)
    return _own(name, _scorer(name, settings, place), direction, settings)


def _own(name: str, found: Any, direction: Mapping[str, Direction], settings: Settings) -> Metric:
    from pytest_mlgates.stats.metrics import as_metric

    is_scorer = hasattr(found, _SCORER)
    if is_scorer and direction.get(name, "higher") != "higher":
        raise CouldNotEvaluate(f"the scorer {name} carries its sign, so higher is better: leave it out of `direction`")
    if not is_scorer and name not in direction:
        raise CouldNotEvaluate(
            f'whether higher or lower is better of the metric {name} is not said: write direction = {{"{name}" = '
            '"higher"} or "lower" in [tool.mlgates.golden_regression]'
        )
    try:
        return as_metric(name.rpartition(":")[2], found, direction.get(name, "higher"), task=settings.task)
    except ValueError as problem:
        raise CouldNotEvaluate(str(problem)) from None


def _scorer(name: str, settings: Settings, place: str) -> Any:
    """A scorer of scikit-learn, where that is installed."""
    from pytest_mlgates.stats.metrics import METRICS

    known = [metric.name for metric in METRICS.values() if metric.task == settings.task]
    with contextlib.suppress(ImportError):
        from sklearn.metrics import get_scorer, get_scorer_names

        if name in get_scorer_names():
            return get_scorer(name)
        known += get_scorer_names()
    where = f" ({place})" if place else ""
    near = did_you_mean(name, known)
    if near.startswith("known"):
        near = did_you_mean(name, [metric for metric in METRICS if METRICS[metric].task == settings.task])
    raise CouldNotEvaluate(
        f"unknown metric {name!r} for task {settings.task!r}{where}: {near}; a function of your own is named "
        '"package.module:function"'
    )
