"""The trend of a noisy level that may jump once.

Resident memory moves in steps (an arena, a library loaded late) and is never independent from one look to the next: an
ordinary regression proves a leak from either. So one step, where it fits best, is part of the model, and the trend's
error is widened for residuals that follow one another (first-order autocorrelation, as Newey and West 1987 weigh it).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_mlgates.stats.special import t_quantile

#: Fewer levels leave no freedom to judge a line, a step, its place, and the noise.
LEAST = 8
_PARAMETERS = 4
_FOLLOWING_MOST = 0.9


@dataclass(frozen=True, slots=True)
class Trend:
    """Change from each level to the next, its interval, and the one step that was told apart from it."""

    slope: float
    low: float
    high: float
    step: float


def trend(levels: NDArray[Any], alpha: float) -> Trend:
    """The trend of `levels` (n,) with its interval at ``1 - alpha``.

    Raises ValueError for fewer than `LEAST` levels. Levels that fit exactly have an interval of no width.
    """
    values = np.asarray(levels, dtype=float)
    count = len(values)
    if count < LEAST:
        raise ValueError(f"a trend needs {LEAST} levels or more, not {count}")
    place = np.arange(count)
    fits = [_fit(values, place, at) for at in range(2, count - 1)]
    design, coefficients, residuals = min(fits, key=lambda fit: float(fit[2] @ fit[2]))
    freedom = count - _PARAMETERS
    spread = float(residuals @ residuals)
    # The residuals of a fit follow each other less than the noise does, by about one part in n a parameter.
    following = float(residuals[1:] @ residuals[:-1]) / spread + _PARAMETERS / count if spread > 0 else 0.0
    following = min(max(following, 0.0), _FOLLOWING_MOST)
    variance = float(np.linalg.inv(design.T @ design)[1, 1]) * spread / freedom
    error = float(np.sqrt(variance * (1 + following) / (1 - following)))
    reach = t_quantile(1 - alpha / 2, freedom) * error
    slope = float(coefficients[1])
    return Trend(slope, slope - reach, slope + reach, float(coefficients[2]))


def _fit(values: NDArray[Any], place: NDArray[Any], at: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """(design, coefficients, residuals) of a line with a step at `at`."""
    design = np.column_stack([np.ones(len(values)), place - place.mean(), (place >= at).astype(float)])
    coefficients = np.linalg.lstsq(design, values, rcond=None)[0]
    return design, coefficients, values - design @ coefficients
