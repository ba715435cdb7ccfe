"""Each group against the reference, both directions, one family."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.measure.fairness.disparate_impact import disparate_impact, impact_of_counts
from pytest_mlgates.rules import at_least
from pytest_mlgates.stats.multiple import holm
from pytest_mlgates.stats.ratio import p_above, p_below
from pytest_mlgates.verdict import Verdict

COUNTS = {"a": (500, 1000), "b": (480, 900), "c": (90, 300), "d": (60, 90)}


def verdicts(counts: dict[str, tuple[int, int]], **more: object) -> dict[str, Verdict]:
    return {e.where: at_least(0.8)(e).verdict for e in impact_of_counts(counts, **more)}


def test_each_group_against_the_largest() -> None:
    found = {e.where: e for e in impact_of_counts(COUNTS)}
    assert set(found) == {"b", "c", "d"}
    assert verdicts(COUNTS) == {"b": Verdict.PASS, "c": Verdict.FAIL, "d": Verdict.INCONCLUSIVE}
    assert found["c"].value == pytest.approx(0.6)
    assert found["d"].value == pytest.approx(0.75), "a group that is favoured counts by the inverse"
    assert found["b"].details["reference"] == "a"
    assert found["b"].details["lowest_over_highest"] == pytest.approx(0.3 / (60 / 90))
    assert set(impact_of_counts(COUNTS, reference="b")[0].details["rates"]) == set(COUNTS)
    assert {e.where for e in impact_of_counts(COUNTS, reference="b")} == {"a", "c", "d"}


@pytest.mark.parametrize("swap", [False, True])
def test_fail_is_exactly_the_score_test_after_holm(swap: bool) -> None:
    """Over 200 draws: FAIL when Holm's p is at most alpha, and never PASS unless both directions are proven."""
    rng = np.random.default_rng(7)
    for _ in range(200):
        sizes = rng.integers(40, 400, 4)
        rates = dict(zip("rabc", (0.3, 0.4, 0.5, 0.6), strict=True))
        counts = {g: (int(rng.binomial(n, rates[g])), int(n)) for g, n in zip("rabc", sizes, strict=True)}
        if swap:
            counts = {name: (n - x, n) for name, (x, n) in counts.items()}
        r = counts["r"]
        p = [min(p_below(*counts[g], *r, 0.8), p_above(*counts[g], *r, 1.25)) for g in "abc"]
        said = verdicts(counts, reference="r")
        for name, adjusted in zip("abc", holm(p), strict=True):
            assert (said[name] is Verdict.FAIL) == (adjusted <= 0.05)
            inside = p_above(*counts[name], *r, 0.8) <= 0.05 and p_below(*counts[name], *r, 1.25) <= 0.05
            assert (said[name] is Verdict.PASS) == inside


def test_rows_and_counts_agree() -> None:
    group = np.repeat([1, 2], [300, 200])
    selected = np.concatenate([np.arange(300) < 150, np.arange(200) < 90])
    assert disparate_impact(selected, group) == impact_of_counts({"1": (150, 300), "2": (90, 200)})


def test_nobody_selected_cannot_say() -> None:
    none = impact_of_counts({"a": (0, 100), "b": (0, 50)})[0]
    assert none.cannot_say == "nobody of this group or of the reference a was selected, so there is no ratio"
    assert at_least(0.8)(none).verdict is Verdict.INCONCLUSIVE
    assert verdicts({"a": (50, 100), "b": (0, 50)}) == {"b": Verdict.FAIL}


@pytest.mark.parametrize(
    ("counts", "reference", "sentence"),
    [
        ({"a": (1, 2)}, "", "disparate impact needs at least two groups, not a"),
        (COUNTS, "B", "the reference group 'B' does not occur"),
    ],
)
def test_what_cannot_be_compared_is_said(counts: dict[str, tuple[int, int]], reference: str, sentence: str) -> None:
    with pytest.raises(CouldNotEvaluate, match=sentence):
        impact_of_counts(counts, reference=reference)
