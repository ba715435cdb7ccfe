"""Quantiles and tails of the usual distributions, without the 0.7 s that importing `scipy.stats` costs.

Scalars in, scalars out; tests hold every function to scipy within 1e-10.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

_NORMAL = NormalDist()
_TINY = 1e-300
_HALF_LOG_TWO_PI = 0.5 * math.log(2 * math.pi)


def normal_cdf(x: float) -> float:
    """P(Z <= x) for a standard normal Z."""
    return 0.5 * math.erfc(-x / math.sqrt(2))


def normal_quantile(p: float) -> float:
    """The x with P(Z <= x) = p, for 0 < p < 1."""
    _inside_unit(p)
    return _NORMAL.inv_cdf(p)


def _inside_unit(p: float) -> None:
    if not 0 < p < 1:
        raise ValueError(f"the probability is {p:g}; give one strictly between 0 and 1")


def _stirling_error(x: float) -> float:
    """log(gamma(x + 1)) minus Stirling's formula: keeps digits that a difference of `lgamma` would lose."""
    if x < 16:
        return math.lgamma(x + 1) - (x + 0.5) * math.log(x) + x - _HALF_LOG_TWO_PI if x > 0 else 0.0
    s = 1 / (x * x)
    series = 1 / 1260 - s * (1 / 1680 - s * (1 / 1188 - s * 691 / 360360))
    return (1 / 12 - s * (1 / 360 - s * series)) / x


def _deviance(x: float, mean: float) -> float:
    """x log(x/mean) + mean - x, without cancellation when the two are near (Loader 2000)."""
    if abs(x - mean) < 0.1 * (x + mean):
        v = (x - mean) / (x + mean)
        total, term, k = (x - mean) * v, 2 * x * v, 1
        while True:
            term *= v * v
            following = total + term / (2 * k + 1)
            if following == total:
                return total
            total, k = following, k + 1
    return x * math.log(x / mean) + mean - x if x > 0 else mean


def _beta_prefactor(a: float, b: float, x: float) -> float:
    """x^a (1-x)^b / Beta(a, b), by Loader's saddle-point form (Catherine Loader, 2000)."""
    n = a + b
    log_value = _stirling_error(n) - _stirling_error(a) - _stirling_error(b)
    log_value -= _deviance(a, n * x) + _deviance(b, n * (1 - x))
    return math.exp(log_value) * math.sqrt(a * b / (2 * math.pi * n))


def _beta_fraction(a: float, b: float, x: float) -> float:
    """The continued fraction of the incomplete beta function (Lentz's method, DLMF 8.17.22)."""
    c, d = 1.0, 1 / max(1 - (a + b) * x / (a + 1), _TINY)
    h = d
    for m in range(1, 100_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for step in (even, odd):
            d = 1 / ((1 + step * d) or _TINY)
            c = (1 + step / c) or _TINY
            h *= d * c
        if abs(d * c - 1) < 3e-16:
            break
    return h


def beta_cdf(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), a and b > 0."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    front = _beta_prefactor(a, b, x)
    if x < (a + 1) / (a + b + 2):
        return front * _beta_fraction(a, b, x) / a
    return 1 - front * _beta_fraction(b, a, 1 - x) / b


def beta_quantile(p: float, a: float, b: float) -> float:
    """The x with I_x(a, b) = p, a and b > 0."""
    if p <= 0 or p >= 1:
        return float(p >= 1)

    def density(x: float) -> float:
        return _beta_prefactor(a, b, x) / (x * (1 - x))

    return _solve(lambda x: beta_cdf(x, a, b) - p, density, a / (a + b), 0.0, 1.0)


def _solve(f: Callable[[float], float], slope: Callable[[float], float], x: float, low: float, high: float) -> float:
    """Root of an increasing function in [low, high]: Newton steps, halving where they leave it."""
    for _ in range(200):
        value = f(x)
        if value == 0:
            break
        low, high = (x, high) if value < 0 else (low, x)
        rise = slope(x)
        step = x - value / rise if rise > 0 else math.inf
        following = step if low < step < high else (low + high) / 2
        if abs(following - x) <= 4e-16 * abs(following):
            return following
        x = following
    return x


def t_cdf(t: float, df: float) -> float:
    """P(T <= t) for Student's t with `df` > 0 degrees of freedom (need not be whole; may be infinite)."""
    if math.isinf(df):
        return normal_cdf(t)
    if abs(t) < 1:  # from the middle: one minus the tail's argument would keep few digits of a small t
        return 0.5 + math.copysign(0.5 * beta_cdf(t * t / (df + t * t), 0.5, df / 2), t)
    tail = 0.5 * beta_cdf(df / (df + t * t), df / 2, 0.5)
    return 1 - tail if t > 0 else tail


def t_quantile(p: float, df: float) -> float:
    """The t with P(T <= t) = p."""
    _inside_unit(p)
    if not df > 0:
        raise ValueError(f"Student's t needs degrees of freedom above 0, given {df:g}")
    if p < 0.5:
        return -t_quantile(1 - p, df)
    z = normal_quantile(p)
    if df > 2000:
        return _t_expansion(z, df)
    x = beta_quantile(2 * (1 - p), df / 2, 0.5)
    return math.sqrt(df * (1 - x) / x)


def _t_expansion(z: float, df: float) -> float:
    """Cornish-Fisher expansion in 1/df (Abramowitz and Stegun 26.7.5); error below 1e-12 for df > 2000."""
    if math.isinf(df):
        return z
    g1 = (z**3 + z) / 4
    g2 = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    g3 = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + g1 / df + g2 / df**2 + g3 / df**3


def chi2_sf(x: float, df: float) -> float:
    """P(X > x) for chi-square with `df` degrees of freedom: the upper incomplete gamma function."""
    if x < 1e-300:
        return 1.0
    a, half = df / 2, x / 2
    front = math.exp(-half + a * math.log(half) - math.lgamma(a))
    if half < a + 1:
        term = total = 1 / a
        k = a
        while abs(term) > 1e-17 * abs(total):
            k += 1
            term *= half / k
            total += term
        return 1 - front * total
    b = half + 1 - a
    c, d = 1 / _TINY, 1 / b
    h = d
    for i in range(1, 10_000):
        step = -i * (i - a)
        b += 2
        d = 1 / ((step * d + b) or _TINY)
        c = (b + step / c) or _TINY
        h *= d * c
        if abs(d * c - 1) < 3e-16:
            break
    return front * h
