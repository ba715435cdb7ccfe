"""What a model answered, as the scores that quality is judged on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports import Answer
from pytest_mlgates.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SHOWN = 10
_FIX = (
    'log it with `mlflow.pyfunc.log_model(..., pyfunc_predict_fn="predict_proba")`, '
    'or set `score = "predict_proba"` when the logged model has it'
)


def as_scores(answer: Answer, rows: int, settings: Settings, name: str, classes: tuple[Any, ...] = ()) -> NDArray[Any]:
    """(n,) scores of the positive class (binary), (n, k) class scores (multiclass), or (n,) values (regression).

    Class scores come in the order of `classes`, the golden set's, where given; classes that only the model knows
    follow. Raises CouldNotEvaluate for another number of rows, for values that are not finite numbers, for class
    labels where scores are needed, and for a class of the golden set that the model does not know.
    """
    import numpy as np

    values = _of_length(answer, rows, name)
    if values.dtype.kind not in "fiub":
        raise CouldNotEvaluate(f"{name} answers text labels, not scores: {_FIX}")
    if not np.isfinite(values.astype(float)).all():
        bad = int((~np.isfinite(values.astype(float))).reshape(rows, -1).any(axis=1).sum())
        raise CouldNotEvaluate(f"{name} answered NaN or infinity for {bad} of {rows} rows")
    if settings.task == "regression":
        return _one_column(values, name).astype(float)
    if settings.task == "multiclass":
        if values.ndim != 2 or values.shape[1] < 2:
            raise CouldNotEvaluate(f"{name} answers one value a row, not a score a class: {_FIX}")
        return values[:, _columns(answer, classes, name)].astype(float) if classes else values.astype(float)
    if values.ndim == 2 and values.shape[1] == 2:
        return values[:, _positive_column(answer, settings, name)].astype(float)
    scores = _one_column(values, name)
    if answer.method != "predict_proba" and _only_labels(scores):
        raise CouldNotEvaluate(f"{name} answers class labels, not scores: {_FIX}")
    return scores.astype(float)


def labels_only(answer: Answer) -> bool:
    """True for a multiclass model that answers one label a row."""
    return answer.values.ndim < 2 or answer.values.shape[1] == 1


def as_classes(answer: Answer, rows: int, settings: Settings, name: str, classes: tuple[Any, ...]) -> NDArray[Any]:
    """(n,) places in `classes` of the class that a multiclass model chooses: its label, or its highest score.

    Classes that only the model knows get places after those. Raises CouldNotEvaluate as `as_scores`, and when no
    answer at all is a label of the golden set.
    """
    import numpy as np

    if not labels_only(answer):
        return np.asarray(np.argmax(as_scores(answer, rows, settings, name, classes), axis=1))
    values = _of_length(answer, rows, name).reshape(rows)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).sum())
        raise CouldNotEvaluate(f"{name} answered NaN or infinity for {bad} of {rows} rows")
    given = values.tolist()
    known = [*classes, *sorted(set(given) - set(classes), key=repr)]
    if not set(given) & set(classes):
        raise CouldNotEvaluate(
            f"{name} answers {_shown(known[len(classes) :])}, none of which is a label of the golden set, whose labels "
            f"are {_shown(classes)}"
        )
    places = {label: place for place, label in enumerate(known)}
    return np.array([places[label] for label in given], dtype=np.int64)


def _of_length(answer: Answer, rows: int, name: str) -> NDArray[Any]:
    values = answer.values
    if values.shape[:1] != (rows,):
        given = values.shape[0] if values.ndim else "a single value"
        raise CouldNotEvaluate(f"{name} answered {given} rows for the {rows} it was given")
    return values


def _columns(answer: Answer, classes: tuple[Any, ...], name: str) -> list[int]:
    """Which column holds each of `classes`, then those of the model's further classes."""
    width = answer.values.shape[1]
    if not answer.classes:
        if width != len(classes):
            raise CouldNotEvaluate(
                f"{name} answers {width} scores a row without saying of which classes, and the golden set has "
                f"{len(classes)}: {_shown(classes)}"
            )
        return list(range(width))
    unknown = [one for one in classes if one not in answer.classes]
    if unknown:
        raise CouldNotEvaluate(
            f"the golden set has rows of {_shown(unknown)}, which {name} was not taught: it knows the classes "
            f"{_shown(answer.classes)}"
        )
    further = [place for place, one in enumerate(answer.classes) if one not in classes]
    return [*(answer.classes.index(one) for one in classes), *further]


def _shown(names: Sequence[Any]) -> str:
    first = ", ".join(map(repr, names[:_SHOWN]))
    return f"{first} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else first


def _positive_column(answer: Answer, settings: Settings, name: str) -> int:
    if not answer.classes:
        return 1
    if settings.positive_class not in answer.classes:
        raise CouldNotEvaluate(
            f"{name} knows the classes {', '.join(map(repr, answer.classes))}, and positive_class = "
            f"{settings.positive_class!r} ({settings.origin('positive_class')}) is none of them"
        )
    return answer.classes.index(settings.positive_class)


def _one_column(values: NDArray[Any], name: str) -> NDArray[Any]:
    flat = values.reshape(len(values), -1)
    if flat.shape[1] != 1:
        raise CouldNotEvaluate(f"{name} answered {flat.shape[1]} values a row where one is needed")
    return flat[:, 0]


def _only_labels(scores: NDArray[Any]) -> bool:
    """Two distinct values at most, or whole numbers throughout, are decisions and rank nothing."""
    import numpy as np

    return len(np.unique(scores)) <= 2 or bool((scores == np.round(scores)).all())
