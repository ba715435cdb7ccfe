"""What a model answered, as the scores that quality is judged on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports import Answer
from pytest_mlgates.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FIX = (
    'log it with `mlflow.pyfunc.log_model(..., pyfunc_predict_fn="predict_proba")`, '
    'or set `score = "predict_proba"` when the logged model has it'
)


def as_scores(answer: Answer, rows: int, settings: Settings, name: str) -> NDArray[Any]:
    """(n,) scores of the positive class (binary), (n, k) class scores (multiclass), or (n,) values (regression).

    Raises CouldNotEvaluate for another number of rows, for values that are not finite numbers, and for class
    labels where scores are needed.
    """
    import numpy as np

    values = answer.values
    if values.shape[:1] != (rows,):
        given = values.shape[0] if values.ndim else "a single value"
        raise CouldNotEvaluate(f"{name} answered {given} rows for the {rows} it was given")
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
        return values.astype(float)
    if values.ndim == 2 and values.shape[1] == 2:
        return values[:, _positive_column(answer, settings, name)].astype(float)
    scores = _one_column(values, name)
    if answer.method != "predict_proba" and _only_labels(scores):
        raise CouldNotEvaluate(f"{name} answers class labels, not scores: {_FIX}")
    return scores.astype(float)


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
