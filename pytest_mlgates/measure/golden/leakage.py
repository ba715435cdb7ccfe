"""Golden rows that the training data holds too.

With an identifier this is a join. Without one it is a question of chance: survey and tabular data repeat
themselves, and an honest golden row often equals some training row. How often is known from the training data
alone (`twins`), and a leaked row that is no twin by chance shows as one more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import Evidence, Interval
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.measure.golden.twins import Twins, twins_of
from pytest_mlgates.origin.training import Training
from pytest_mlgates.policy import GoldenValidity
from pytest_mlgates.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

#: A share of leaked rows that a set must be able to show; where it cannot, equal rows prove nothing.
SHOWN = 0.10
_FEWEST = 10
_IDENTIFIER = "name a column that tells rows apart as `identifier`"


def leaks(golden: GoldenSet, training: Training, settings: Settings, policy: GoldenValidity) -> list[Evidence]:
    """Golden rows in the training data: those that share the policy's identifier; without one those equal in
    features and label, and where both files have further columns (a time, a number) those equal in all of them,
    which chance hardly ever makes. Raises CouldNotEvaluate when the two cannot be compared.
    """
    if policy.identifier:
        for frame, what in ((training.golden, f"the golden set {golden.path}"), (training.rows, str(training.file))):
            if policy.identifier not in frame.columns:
                known = ", ".join(map(str, frame.columns[:40]))
                raise CouldNotEvaluate(f"identifier {policy.identifier!r} is no column of {what}; it has: {known}")
        return [same_identifiers(training.golden[policy.identifier], training.rows[policy.identifier])]
    plain = [*golden.X.columns, settings.label]
    further = [c for c in training.golden.columns if c in training.rows.columns and c not in plain]
    frames = {"equal rows beyond chance": plain, "whole rows beyond chance": [*plain, *further]}
    if not further:
        frames.popitem()
    return [
        same_rows(
            training.golden[columns],
            training.rows,
            settings.label,
            margin=policy.leak,
            alpha=policy.alpha,
            measure=name,
        )
        for name, columns in frames.items()
    ]


def same_rows(
    golden: pd.DataFrame, training: pd.DataFrame, label: str, *, margin: float, alpha: float, measure: str
) -> Evidence:
    """The share of golden rows that are in `training` beyond what chance explains, with its interval at
    ``1 - 2 alpha``. Where a leak of `SHOWN` would not show, and none above `margin` does, the data cannot answer.

    Rows are equal when all columns are that both frames have, `label` included; those that only the golden set
    has are named in the details. Raises CouldNotEvaluate when no column but the label is shared.
    """
    from pytest_mlgates.stats.special import normal_quantile

    shared = [column for column in golden.columns if column in training.columns]
    if set(shared) <= {label}:
        raise CouldNotEvaluate(
            "the training data and the golden set share no feature column, so no row can be compared"
        )
    twins = twins_of(golden[shared], training[shared], label)
    z = normal_quantile(1 - alpha)  # 1.645 at alpha = 0.05
    leaked = twins.once - twins.chance
    low, high = (twins.share(leaked + sign * z * twins.error) for sign in (-1, 1))
    visible = twins.share(max(0.0, -leaked) + 2 * z * twins.error)
    details = {
        "training_rows": twins.training,
        "equal_to_a_training_row": 1 - twins.alone / twins.golden,
        "equal_to_one_training_row": twins.once,
        "explained_by_chance": twins.chance,
        "smallest_share_seen": visible,
        "columns_not_shared": sorted(set(map(str, golden.columns)) - set(map(str, shared))),
    }
    cannot_say = _cannot_say(twins, 0.0 if low > margin else visible)
    interval = Interval(low, high, 1 - 2 * alpha, "Good's estimate")
    return Evidence(measure, twins.share(leaked), twins.golden, interval, cannot_say=cannot_say, details=details)


def same_identifiers(golden: pd.Series[Any], training: pd.Series[Any]) -> Evidence:
    """How many golden rows bear an identifier that a training row bears too. Raises CouldNotEvaluate when one
    side holds text and the other numbers, which never meet.
    """
    ours, theirs = golden.dropna(), training.dropna()
    kinds = [_is_number(ours), _is_number(theirs)]
    if len(ours) and len(theirs) and kinds[0] != kinds[1]:
        words = ["numbers" if kind else "text" for kind in kinds]
        raise CouldNotEvaluate(
            f"identifier {golden.name!r} holds {words[0]} in the golden set and {words[1]} in the training data, so no "
            "row can be joined: write it alike in both"
        )
    if len(ours) < _FEWEST or len(theirs) < _FEWEST:
        why = f"identifier {golden.name!r} is given on {len(ours)} golden and {len(theirs)} training rows only"
        return Evidence("rows in training", None, len(golden), cannot_say=why)
    hit = ours.isin(set(theirs))
    # How many, not which: identifiers are people, and the evidence travels.
    return Evidence("rows in training", float(hit.sum()), len(golden), details={"identifier": str(golden.name)})


def _is_number(values: pd.Series[Any]) -> bool:
    from pandas.api.types import is_numeric_dtype

    return bool(is_numeric_dtype(values.infer_objects().dtype))


def _cannot_say(twins: Twins, visible: float) -> str:
    """Why equal rows prove nothing here, or "" when they do."""
    if twins.repeated == 0 and (twins.pairs or twins.disagreeing):
        return f"the training data was de-duplicated, so how often honest rows repeat is unknown: {_IDENTIFIER}"
    if twins.alone + twins.once < _FEWEST:
        return f"nearly every golden row repeats in the training data by chance: {_IDENTIFIER}"
    if visible > SHOWN:
        return f"a leak of less than {visible:.0%} of the golden rows would not show among equal rows: {_IDENTIFIER}"
    return ""
