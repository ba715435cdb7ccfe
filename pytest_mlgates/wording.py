"""How figures are written for people."""

from __future__ import annotations

from pytest_mlgates.evidence import Evidence

#: The unit of evidence whose value is 1 for yes and 0 for no.
YES_NO = "yes/no"


def figure(value: float) -> str:
    """Four significant figures, no trailing noise, and no minus before a 0; from 1,000 on whole, with thousands.

    An exponent only below 0.0001 and from 1,000,000,000 on. For people: the evidence itself stays exact.
    """
    short = f"{value + 0.0:.4g}"
    return f"{value:,.0f}" if 1e3 <= abs(float(short)) < 1e9 else short


def shown(evidence: Evidence, value: float) -> str:
    """`value` in the manner of its evidence: a gain carries its sign, a plain yes or no is a word."""
    if evidence.unit == YES_NO:
        return "yes" if value else "no"
    return (f"{value:+.4f}" if evidence.measure.endswith("gain") else figure(value)) + evidence.unit


def interval(evidence: Evidence) -> str:
    """The interval in brackets, or nothing for an exact figure."""
    i = evidence.interval
    return f"[{shown(evidence, i.low)}, {shown(evidence, i.high)}]" if i is not None else ""
