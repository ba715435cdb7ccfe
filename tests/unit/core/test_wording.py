"""How figures are written for people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.evidence import Evidence, Interval
from pytest_mlgates.wording import figure, interval, shown


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (0.00012345, "0.0001234"),
        (0.00001234, "1.234e-05"),
        (0.8603, "0.8603"),
        (999.94, "999.9"),
        (999.96, "1,000"),
        (1000, "1,000"),
        (10460.0, "10,460"),
        (-10460.4, "-10,460"),
        (123456.0, "123,456"),
        (67108864, "67,108,864"),
        (999_999_999.0, "1e+09"),
        (2e9, "2e+09"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
    ],
)
def test_a_figure_is_short_and_has_thousands(value: float, written: str) -> None:
    assert figure(value) == written


@given(st.floats(1e-4, 9.9e8), st.sampled_from([1, -1]))
def test_what_people_read_has_no_exponent_and_loses_nothing_they_would_see(value: float, sign: int) -> None:
    written = figure(sign * value)
    assert "e" not in written
    assert float(written.replace(",", "")) == pytest.approx(sign * value, rel=5.1e-4)


def test_the_interval_is_written_as_the_figure() -> None:
    evidence = Evidence("p99", 10460.0, 5, unit=" ms", interval=Interval(9800.0, 12345.6, 0.9, "m"))
    assert (shown(evidence, 10460.0), interval(evidence)) == ("10,460 ms", "[9,800 ms, 12,346 ms]")
