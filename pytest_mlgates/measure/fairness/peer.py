"""fairlearn as a second opinion on the by-group figures, for whoever must show that the reference library agrees.

It takes seconds where the counts take milliseconds, so it is asked only where the policy says so; the project's own
tests ask it always.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pytest_mlgates.errors import CouldNotEvaluate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_mlgates.stats.group_counts import GroupRates

AGREEMENT = 1e-12


def fairlearn_rates(
    codes: NDArray[Any], groups: int, truth: NDArray[Any], selected: NDArray[Any], weight: NDArray[Any] | None
) -> NDArray[Any]:
    """The rates (groups, 4) of `stats.group_counts`, by fairlearn's MetricFrame; a rate over no rows is 0 there.

    Raises CouldNotEvaluate when fairlearn is not installed.
    """
    import numpy as np

    try:
        from fairlearn.metrics import MetricFrame, false_positive_rate, selection_rate, true_positive_rate
        from sklearn.metrics import accuracy_score
    except ImportError:
        raise CouldNotEvaluate(
            'fairness asks for fairlearn, which is not installed: pip install "pytest-mlgates[fairness]", or write '
            "fairlearn = false"
        ) from None
    metrics = {
        "selection_rate": selection_rate,
        "true_positive_rate": true_positive_rate,
        "false_positive_rate": false_positive_rate,
        "accuracy": accuracy_score,
    }
    frame = MetricFrame(
        metrics=metrics,
        y_true=truth.astype(int),
        y_pred=selected.astype(int),
        sensitive_features=codes,
        sample_params={name: {"sample_weight": weight} for name in metrics} if weight is not None else None,
    )
    return np.asarray(frame.by_group.loc[range(groups)].to_numpy(float))


def agree(family: str, names: Sequence[str], mine: GroupRates, theirs: NDArray[Any]) -> str:
    """What fairlearn was found to say, for the report. Raises CouldNotEvaluate naming the figure that differs."""
    import numpy as np

    from pytest_mlgates.stats.group_counts import RATES

    off = np.where(mine.rows > 0, np.abs(mine.value - theirs), 0.0)
    # A NaN on either side agrees with nothing.
    if not (off <= AGREEMENT).all():
        group, rate = divmod(int(np.argmax(np.where(np.isnan(off), np.inf, off))), len(RATES))
        raise CouldNotEvaluate(
            f"fairlearn gives a {RATES[rate]} of {theirs[group, rate]!r} for {family}={names[group]}, and this gate "
            f"{mine.value[group, rate]!r}: please report it"
        )
    return f"equal to fairlearn within {float(off.max()):.1g}"
