"""What each column of the golden set is for: by the model's signature first, by its name second."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_mlgates.adoption.guess import Guess, listed

if TYPE_CHECKING:
    import pandas as pd

_LABELS = {"label", "labels", "target", "y", "class", "outcome", "truth", "ground_truth", "y_true"}
#: What people call the thing they want to know; trusted where the model's signature leaves few columns to choose from.
_OUTCOMES = _LABELS | {
    *(
        "churn",
        "churned",
        "default",
        "defaulted",
        "fraud",
        "is_fraud",
        "fraudulent",
        "diagnosis",
        "survived",
        "attrition",
    ),
    *("converted", "conversion", "clicked", "bought", "purchased", "approved", "cancelled", "readmitted", "responded"),
    *("response", "result", "rating", "price", "sales", "demand", "quality", "species", "category"),
}
_IDENTIFIES = re.compile(r"(^|_)(id|uuid|guid|key|no|number|nr)$|^(id|uuid|index)(_|$)|unnamed")
_WEIGHTS = ("weight", "sample_weight", "sampling_weight")
_SENSITIVE = re.compile(
    r"(^|_)(sex|gender|race|rac1p|ethnicity|ethnic_group|nationality|religion|disability|age_group|age_band|"
    r"marital_status|sexual_orientation|native_country|citizenship)(_|$)"
)
#: A sensitive column with more values than this is no column of groups.
MOST_GROUPS = 20
_MOST_CLASSES = 20
_NEGATIVE = {"no", "n", "false", "f", "0", "-1", "negative", "neg", "benign", "normal", "healthy", "legit", "ok"}
_POSITIVE = {"yes", "y", "true", "t", "1", "positive", "pos", "malignant", "fraud", "churned", "churn", "default"}


@dataclass(frozen=True, slots=True)
class Roles:
    """Columns that the model does not receive, by what they are for."""

    ignore: tuple[str, ...] = ()
    weight: str = ""
    group: str = ""
    sensitive: tuple[str, ...] = ()


def label(frame: pd.DataFrame, inputs: Collection[str] | None) -> Guess:
    """The label column: what the model is not given, or a column that is called so."""
    names = [str(name) for name in frame.columns]
    left = [name for name in names if inputs is None or name not in inputs]
    called = [name for name in left if _plain(name) in _LABELS]
    if len(called) == 1:
        return Guess(called[0], "named so" if inputs is None else "named so, and no input of the model")
    if inputs is None:
        return Guess(why=f"the model has no signature, and none of {listed(names)} is called label or target")
    likely = [name for name in left if not _for_something_else(frame, name)]
    if len(likely) == 1:
        return Guess(likely[0], "the one column that is no input of the model")
    outcomes = [name for name in likely if _plain(name) in _OUTCOMES]
    if len(outcomes) == 1:
        return Guess(outcomes[0], "named so, and no input of the model")
    had = listed(likely or left) if left else "no column"
    return Guess(why=f"the columns that the model is not given are {had}")


def task(labels: pd.Series[Any]) -> Guess:
    """By how many labels there are, and whether they are numbers."""
    from pandas.api.types import is_float_dtype, is_numeric_dtype

    distinct = labels.dropna().nunique()
    if distinct == 2:
        return Guess("binary", "two labels")
    whole = not is_float_dtype(labels) or bool((labels.dropna() % 1 == 0).all())
    if 2 < distinct <= _MOST_CLASSES and whole:
        return Guess("multiclass", f"{distinct} labels")
    if is_numeric_dtype(labels) and distinct > _MOST_CLASSES:
        return Guess("regression", f"{distinct} different numbers")
    return Guess(why=f"the label column has {distinct} different values")


def positive_class(labels: pd.Series[Any]) -> Guess:
    """Which of two labels counts as positive; 1 and true are, which is the default as well."""
    values = sorted(labels.dropna().unique().tolist(), key=str)
    if len(values) != 2:
        return Guess(1, "1 is the default")
    if 1 in values and not isinstance(values[0], str):
        value = next(value for value in values if value == 1)
        return Guess(value if isinstance(value, bool) else 1, f"of the labels {listed(values)}")
    words = [str(value).strip().lower() for value in values]
    for place, word in enumerate(words):
        if word in _POSITIVE or words[1 - place] in _NEGATIVE:
            return Guess(values[place], f"of the labels {listed(values)}")
    return Guess(why=f"the labels are {listed(values)}")


def roles(frame: pd.DataFrame, label: str, inputs: Collection[str] | None) -> Roles:
    """What the columns beside the label are for. Without a signature only names that identify rows are ignored."""
    names = [str(name) for name in frame.columns if str(name) != label]
    sensitive = tuple(name for name in names if _groups(frame, name))
    if inputs is None:
        return Roles(ignore=tuple(name for name in names if _identifies(frame, name)), sensitive=sensitive)
    left = [name for name in names if name not in inputs]
    weights = [name for name in left if _plain(name) in _WEIGHTS and _positive(frame, name)]
    weight = weights[0] if len(weights) == 1 else ""
    repeated = [name for name in left if _IDENTIFIES.search(_plain(name)) and not _identifies(frame, name)]
    group = repeated[0] if len(repeated) == 1 else ""
    ignore = tuple(name for name in left if name not in (weight, group))
    return Roles(ignore, weight, group, tuple(name for name in sensitive if name not in (weight, group)))


def _for_something_else(frame: pd.DataFrame, name: str) -> bool:
    plain = _plain(name)
    return bool(_IDENTIFIES.search(plain) or _SENSITIVE.search(plain) or plain in _WEIGHTS) or _dates(frame, name)


def _dates(frame: pd.DataFrame, name: str) -> bool:
    from pandas.api.types import is_datetime64_any_dtype

    return bool(is_datetime64_any_dtype(frame[name]))


def _identifies(frame: pd.DataFrame, name: str) -> bool:
    return bool(_IDENTIFIES.search(_plain(name))) and frame[name].nunique() == len(frame)


def _groups(frame: pd.DataFrame, name: str) -> bool:
    return bool(_SENSITIVE.search(_plain(name))) and 2 <= frame[name].nunique() <= MOST_GROUPS


def _positive(frame: pd.DataFrame, name: str) -> bool:
    from pandas.api.types import is_numeric_dtype

    return is_numeric_dtype(frame[name]) and bool((frame[name] > 0).all())


def _plain(name: str) -> str:
    """`Patient ID` and `patientId` as `patient_id`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")
