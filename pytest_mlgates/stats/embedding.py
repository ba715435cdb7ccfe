"""Two clouds of vectors, told apart by their centroids and by their images under a few directions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pytest_mlgates.stats.checks import Floats, floats
from pytest_mlgates.stats.special import chi2_sf


@dataclass(frozen=True, slots=True)
class Cosine:
    """Cosine distance of two centroids less its bias, and what it hangs on: its slope at each centroid (d,)."""

    raw: float
    bias: float
    slope_a: Floats
    slope_b: Floats

    @property
    def value(self) -> float:
        return self.raw - self.bias


def cosine_distance(a: ArrayLike, b: ArrayLike, noise_a: float, noise_b: float) -> Cosine:
    """1 - cos of the angle between the centroids `a` and `b` (d,), 0 to 2.

    `noise_a` and `noise_b` are the expected squared distances of the centroids from the true ones (sum of the
    coordinates' variances over rows): half of each, relative to the squared length, is what pure noise adds.
    Raises ValueError for a centroid of length zero.
    """
    x, y = floats(a, "the baseline's centroid"), floats(b, "the sample's centroid", length=len(np.asarray(a)))
    long_x, long_y = float(np.linalg.norm(x)), float(np.linalg.norm(y))
    if long_x == 0 or long_y == 0:
        raise ValueError("a centroid has length zero, so it points nowhere; centred embeddings have no cosine")
    x, y = x / long_x, y / long_y
    cos = float(np.clip(x @ y, -1, 1))
    bias = noise_a / (2 * long_x**2) + noise_b / (2 * long_y**2)
    return Cosine(1 - cos, bias, -(y - cos * x) / long_x, -(x - cos * y) / long_y)


@dataclass(frozen=True, slots=True)
class Hotelling:
    """Hotelling's T-square of two means, its p-value, and the distance of the means in standard deviations."""

    t_square: float
    p_value: float
    distance: float


def hotelling(
    mean_a: ArrayLike, covariance_a: ArrayLike, n: int, mean_b: ArrayLike, covariance_b: ArrayLike, m: int
) -> Hotelling:
    """Are two means (k,) of `n` and `m` rows the same? Covariances (k, k) may differ; p by chi-square, for many rows.

    Directions without any variance are left out.
    """
    apart = np.asarray(mean_b, dtype=float) - np.asarray(mean_a, dtype=float)
    of_a, of_b = np.asarray(covariance_a, dtype=float), np.asarray(covariance_b, dtype=float)
    inverse = np.linalg.pinv(of_a / n + of_b / m, hermitian=True)
    t_square = max(0.0, float(apart @ inverse @ apart))
    pooled = np.linalg.pinv((of_a + of_b) / 2, hermitian=True)
    distance = math.sqrt(max(0.0, float(apart @ pooled @ apart)))
    return Hotelling(t_square, chi2_sf(t_square, len(apart)), distance)
