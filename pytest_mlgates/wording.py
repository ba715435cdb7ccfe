"""How figures are written for people."""

from __future__ import annotations

from pytest_mlgates.evidence import Evidence


def figure(value: float) -> str:
    """Four significant figures, no trailing noise."""
    return f"{value:.4g}"


def shown(evidence: Evidence, value: float) -> str:
    """`value` in the manner of its evidence: a gain carries its sign."""
    return (f"{value:+.4f}" if evidence.measure.endswith("gain") else figure(value)) + evidence.unit


def interval(evidence: Evidence) -> str:
    """The interval in brackets, or nothing for an exact figure."""
    i = evidence.interval
    return f"[{shown(evidence, i.low)}, {shown(evidence, i.high)}]" if i is not None else ""
