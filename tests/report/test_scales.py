"""Places on an axis, limits read back from their words, lines in a log."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.evidence import Evidence
from pytest_mlgates.report.limits import Limit, limit_of
from pytest_mlgates.report.plaintext import visible
from pytest_mlgates.report.scale import Scale, around
from pytest_mlgates.report.spoken import spoken
from pytest_mlgates.rules import at_least, at_most, better_by, is_true, not_above, not_below, not_worse_than

FIGURES = st.floats(-1e9, 1e9, allow_nan=False)


@given(st.lists(FIGURES, min_size=1, max_size=20))
def test_an_axis_holds_every_figure_in_order(values: list[float]) -> None:
    scale = around(values, 0.0, 100.0)
    places = [scale(value) for value in sorted(values)]
    assert places == sorted(places)
    assert all(0 <= place <= 100 for place in places)


@given(st.lists(st.floats(1e-6, 1e9), min_size=1, max_size=20))
def test_a_logarithmic_axis_does_too(values: list[float]) -> None:
    scale = around(values, 0.0, 100.0, log=True)
    places = [scale(value) for value in sorted(values)]
    assert places == sorted(places)


@given(FIGURES, FIGURES)
def test_marks_are_few_and_on_the_axis(low: float, high: float) -> None:
    scale = around([low, high], 0.0, 100.0)
    marks = scale.marks()
    assert len(marks) <= 11
    slack = 1e-6 * (scale.high - scale.low)
    assert all(scale.low - slack <= mark <= scale.high + slack for mark in marks)


def test_what_is_not_finite_is_no_reason_for_an_axis() -> None:
    assert around([math.nan, math.inf], 0.0, 1.0) == Scale(0.0, 1.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("rule", "limit"),
    [
        (at_least(0.8), Limit(0.8, above=True)),
        (at_most(200.0), Limit(200.0, above=False)),
        (at_most(1e-7), Limit(1e-7, above=False)),
        (not_worse_than(0.005), Limit(-0.005, above=True)),
        (better_by(0.005), Limit(0.0, above=True)),
        (not_above(20000.0), Limit(20000.0, above=False)),
        (at_most(12345678.0), Limit(12345678.0, above=False)),
        (not_below(-3.0), Limit(-3.0, above=True)),
        (is_true("no proven harm beyond 0.02"), None),
    ],
)
def test_a_limit_is_read_back_from_the_words_of_its_rule(rule, limit) -> None:
    assert limit_of(rule(Evidence("m", 1.0, 5)).limit) == limit


@given(st.floats(-1e300, 1e300))
def test_every_limit_of_the_rules_is_read_back_as_it_is_written(value: float) -> None:
    found = limit_of(at_least(value)(Evidence("m", 1.0, 5)).limit)
    assert found is not None
    assert found.value == pytest.approx(value, rel=1e-3)


@pytest.mark.parametrize("words", ["", "bytes match the pointer", "90 days or younger", ">= much", "reported"])
def test_other_words_are_no_limit(words: str) -> None:
    assert limit_of(words) is None


@given(st.text())
def test_no_line_is_a_workflow_command_or_moves_the_cursor(text: str) -> None:
    line = spoken(text)
    assert not line.lstrip().startswith("::")
    assert "##[" not in line
    assert line.isprintable()


@given(st.text())
def test_made_visible_twice_is_made_visible_once(text: str) -> None:
    assert visible(visible(text)) == visible(text)


def test_indentation_stays() -> None:
    assert spoken("    a  b") == "    a  b"
    assert spoken("  ::error::x") == "  : :error::x"
    assert spoken("see ##[add-path]x") == "see ## [add-path]x"
