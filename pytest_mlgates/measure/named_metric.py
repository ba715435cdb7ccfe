"""A metric by the name that the settings give it: a shipped one, a scikit-learn scorer, or a function of the user's."""

from __future__ import annotations

import contextlib
import importlib
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.settings import Settings
from pytest_mlgates.validation import did_you_mean

if TYPE_CHECKING:
    from pytest_mlgates.policy import Direction
    from pytest_mlgates.stats.metrics import Metric

_PATH = re.compile(r"(?P<module>[^\W\d]\w*(\.[^\W\d]\w*)*):(?P<name>[^\W\d]\w*(\.[^\W\d]\w*)*)")
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
    if ":" in name:
        return _own(name, _imported(name, settings.base), direction, settings)
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


def _imported(path: str, base: Path) -> Any:
    """What ``package.module:name`` means. Raises CouldNotEvaluate."""
    parts = _PATH.fullmatch(path)
    if parts is None:
        raise CouldNotEvaluate(f'the metric {path!r} is no import path: write "package.module:function"')
    module = _module(path, parts["module"], base)
    found: Any = module
    for name in parts["name"].split("."):
        if not hasattr(found, name):
            raise CouldNotEvaluate(f"the metric {path!r}: {getattr(module, '__file__', module)} has no {parts['name']}")
        found = getattr(found, name)
    if not callable(found):
        raise CouldNotEvaluate(f"the metric {path!r} is {found!r}, not a function(y, scores) or a scorer")
    return found


def _module(path: str, name: str, base: Path) -> Any:
    with _first_on_the_path(base):
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as problem:
            if problem.name is not None and (name == problem.name or name.startswith(f"{problem.name}.")):
                missing = f"there is no module {problem.name!r} in {base} or among the installed packages"
                raise CouldNotEvaluate(f"the metric {path!r}: {missing}") from None
            raise CouldNotEvaluate(f"the metric {path!r}: importing {name} failed: {problem}") from None
        except Exception as problem:  # noqa: BLE001 - a user's module may raise anything; the metric is not to be had
            raise CouldNotEvaluate(
                f"the metric {path!r}: importing {name} raised {type(problem).__name__}: {problem}"
            ) from None
    file, meant = getattr(module, "__file__", None), base.joinpath(*name.split(".")).with_suffix(".py")
    if meant.is_file() and (file is None or not meant.samefile(file)):
        raise CouldNotEvaluate(f"the metric {path!r}: {file} was imported before under that name; rename {meant.name}")
    return module


@contextlib.contextmanager
def _first_on_the_path(base: Path) -> Iterator[None]:
    sys.path.insert(0, str(base))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(base))
