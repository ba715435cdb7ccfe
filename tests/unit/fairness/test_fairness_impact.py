"""Lines of disparate impact: who is proven, who failed, and whom the rows cannot tell, all named; rows needed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlgates.evidence import Evidence
from pytest_mlgates.measure.fairness.disparate_impact import impact_of_counts
from pytest_mlgates.measure.fairness.impact import Selected, impact_evidence, impacts
from pytest_mlgates.rules import at_least
from pytest_mlgates.stats.group_power import rows_to_prove
from pytest_mlgates.verdict import Verdict, worst

COUNTS = {"a": (2500, 5000), "b": (245, 500), "c": (90, 300), "d": (2, 4), "e": (0, 3)}


def selected(counts: dict[str, tuple[int, int]], effect: float = 1.0) -> Selected:
    rows = {name: n for name, (_, n) in counts.items()}
    return Selected(rows, {k: x / n for k, (x, n) in counts.items()}, {k: n * effect for k, n in rows.items()})


def lines(counts: dict[str, tuple[int, int]], **more: object) -> list[Evidence]:
    return impact_evidence("race", selected(counts), bound=0.8, alpha=0.05, **more)  # type: ignore[arg-type]


def test_proven_groups_share_a_line_failed_ones_have_their_own_and_the_rest_is_named() -> None:
    made = lines(COUNTS, champion={"c": 0.7, "b": 0.9})
    assert [(one.where, at_least(0.8)(one).verdict) for one in made] == [
        ("race=b (champion 0.9)", Verdict.PASS),
        ("race=c (champion 0.7)", Verdict.FAIL),
        ("race: d, e", Verdict.INCONCLUSIVE),
    ]
    assert made[2].n == 7
    assert at_least(0.8)(made[2]).sentence == (
        "disparate impact [race: d, e]: these 2 groups cannot be told from 0.8 against a: "
        "d (4 rows, 1 [0.3647, 1], about 160 needed), e (3 rows, 0 [0, 1], about 160 needed)"
    )
    assert made[2].details["would_flip"] == "about 160 rows of race=d (now 4), about 160 rows of race=e (now 3)"


def test_several_proven_groups_show_the_one_nearest_to_the_limit() -> None:
    made = lines({"a": (2500, 5000), "b": (245, 500), "c": (2000, 4000)})
    assert [one.where for one in made] == ["2 groups proven, nearest race=b"]


def test_a_declared_group_without_rows_cannot_pass() -> None:
    made = lines({"a": (2500, 5000), "b": (490, 1000)}, absent=["x"])
    assert [at_least(0.8)(one).verdict for one in made] == [Verdict.PASS, Verdict.INCONCLUSIVE]
    assert made[1].cannot_say == "this group cannot be told from 0.8 against a: x (no rows)"


def test_nobody_selected_anywhere_cannot_pass() -> None:
    made = lines({"a": (0, 5000), "b": (0, 500)})
    assert at_least(0.8)(made[0]).verdict is Verdict.INCONCLUSIVE
    assert "nobody of this group or of the reference a was selected" in made[0].cannot_say


@given(
    st.dictionaries(st.sampled_from("abcdefgh"), st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=2).map(
        lambda made: {k: (x, x + y) for k, (x, y) in made.items() if x + y}
    ),
)
@settings(max_examples=60)
def test_the_lines_say_what_every_group_alone_would(counts: dict[str, tuple[int, int]]) -> None:
    """No group is lost in a shared line, and no verdict changes by sharing it."""
    if len(counts) < 2:
        return
    alone = {e.where: at_least(0.8)(e).verdict for e in impact_of_counts(counts, bound=0.8)}
    made = lines(counts)
    assert worst(at_least(0.8)(one).verdict for one in made) is worst(alone.values())
    untold = [name for one in made if one.cannot_say for name in one.details["groups"]]
    assert set(untold) == {name for name, verdict in alone.items() if verdict is Verdict.INCONCLUSIVE}
    failed = {one.where.removeprefix("race=") for one in made if at_least(0.8)(one).verdict is Verdict.FAIL}
    assert failed == {name for name, verdict in alone.items() if verdict is Verdict.FAIL}


def test_rows_that_count_as_fewer_need_more_rows() -> None:
    counts = {"a": (2500, 5000), "b": (45, 100)}
    plain = impact_evidence("g", selected(counts), bound=0.8, alpha=0.05)[0]
    half = impact_evidence("g", selected(counts, 0.5), bound=0.8, alpha=0.05)[0]
    assert plain.interval is not None and half.interval is not None
    assert half.interval.low < plain.interval.low
    assert half.n == plain.n == 5100, "n is rows, whatever they count as"


def test_the_reference_is_the_largest_group_by_rows() -> None:
    of = Selected({"a": 50, "b": 100}, {"a": 0.5, "b": 0.5}, {"a": 50.0, "b": 10.0})
    assert impact_evidence("g", of, bound=0.8, alpha=0.05)[0].details["reference"] == "b"


def test_plain_impacts_leave_out_what_has_no_ratio() -> None:
    of = selected({"a": (0, 10), "b": (0, 10), "c": (5, 10)})
    assert impacts(of, "a") == {"c": 0.0}


@pytest.mark.parametrize(("rate", "reference"), [(0.5, 0.5), (0.47, 0.5), (0.3, 0.28), (0.36, 0.5), (0.2, 0.3)])
def test_the_rows_said_to_be_needed_settle_it_four_times_in_five(rate: float, reference: float) -> None:
    n_ref = 20_000
    needed = rows_to_prove(rate, 100, reference, n_ref, 0.8)
    assert needed is not None
    goal = Verdict.PASS if rate / reference > 0.8 else Verdict.FAIL
    rng = np.random.default_rng(2)
    said = 0
    for _ in range(300):
        counts = {"r": (int(rng.binomial(n_ref, reference)), n_ref), "g": (int(rng.binomial(needed, rate)), needed)}
        said += at_least(0.8)(impact_of_counts(counts, reference="r")[0]).verdict is goal
    assert 0.72 <= said / 300 <= 0.93


@pytest.mark.parametrize(
    ("rate", "rows", "reference", "reference_rows"),
    [(0.5, 100, 0.0, 1000), (0.5, 100, 1.0, 1000), (0.41, 200, 0.5, 300), (0.0, 100, 0.5, 1000)],
)
def test_where_no_number_of_its_rows_is_enough_none_is_said(
    rate: float, rows: int, reference: float, reference_rows: int
) -> None:
    assert rows_to_prove(rate, rows, reference, reference_rows, 0.8) is None


def test_a_tiny_group_is_planned_as_if_treated_alike() -> None:
    assert rows_to_prove(0.0, 3, 0.5, 5000, 0.8) == rows_to_prove(1.0, 7, 0.5, 5000, 0.8)
