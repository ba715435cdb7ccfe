"""Adjusted p-values agree with statsmodels and keep the order they were given in."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.stats.multiple import holm

p_values = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@given(p_values)
def test_holm_is_statsmodels(p) -> None:
    multipletests = pytest.importorskip("statsmodels.stats.multitest").multipletests
    np.testing.assert_allclose(holm(p), multipletests(p, method="holm")[1], atol=1e-15)


@given(p_values, st.randoms())
def test_the_order_given_is_the_order_returned(p, random) -> None:
    mixed = list(range(len(p)))
    random.shuffle(mixed)
    np.testing.assert_array_equal(holm(np.array(p)[mixed]), holm(p)[mixed])


def test_places_of_the_sorted_are_not_taken_for_ranks() -> None:
    """The mistake of using argsort's result as ranks (once shipped by Giskard) shows on a 3-cycle."""
    p = [0.03, 0.04, 0.001]
    assert holm(p) == pytest.approx([0.06, 0.06, 0.003])


@pytest.mark.parametrize("p", [[-0.1, 0.5], [0.5, 1.1]])
def test_a_p_value_outside_the_unit_is_refused(p) -> None:
    with pytest.raises(ValueError, match="values inside"):
        holm(p)
