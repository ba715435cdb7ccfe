"""Samples with known truth."""

from statistics import NormalDist

import numpy as np
import pytest


def draw_binormal(n, prevalence, *, auc=0.8, challenger_auc=None, correlation=0.9, seed=0):
    """Labels with exactly the prevalence, and two models' scores with the given AUCs and correlation."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) < round(n * prevalence)
    a = rng.normal(size=n)
    b = correlation * a + np.sqrt(1 - correlation**2) * rng.normal(size=n)
    shift = [NormalDist().inv_cdf(v) * 2**0.5 for v in (auc, challenger_auc or auc)]
    order = rng.permutation(n)
    return y[order], (a + shift[0] * y)[order], (b + shift[1] * y)[order]


@pytest.fixture
def binormal():
    return draw_binormal
