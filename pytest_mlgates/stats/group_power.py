"""How many rows of a group would prove its disparate impact, one way or the other."""

from __future__ import annotations

from pytest_mlgates.stats.power import effect_in_errors, two_figures

#: With fewer rows than this the group's own rate says too little to plan with.
_FEW = 30


def rows_to_prove(
    rate: float, rows: float, reference: float, reference_rows: float, bound: float, *, alpha: float = 0.05
) -> int | None:
    """Rows of the group, to two significant figures, that settle its ratio to the reference with 80 % power, at the
    rates seen; for a group of fewer than 30 rows at the reference's rate, as if it were treated alike.

    Proven inside needs both directions, proven outside one. None when the reference's rows are too few for any
    number of the group's, or a rate is 0 or 1 and nothing can be planned. The variance is that of the plain
    difference rate - bound * reference, which is what the score test comes to on many rows.
    """
    p = rate if rows >= _FEW else reference
    if not 0 < reference < 1 or not 0 < p < 1:
        return None
    inside = bound < p / reference < 1 / bound
    below = _enough(p, reference, reference_rows, bound, alpha)
    above = _enough(p, reference, reference_rows, 1 / bound, alpha)
    needed = [below, above] if inside else [below if p < reference else above]
    known = [n for n in needed if n is not None]
    if len(known) < len(needed):
        return None
    return two_figures(max(*known, rows + 1)) if len(known) > 1 else two_figures(max(known[0], rows + 1))


def _enough(p: float, reference: float, reference_rows: float, ratio: float, alpha: float) -> float | None:
    """Rows that put p - ratio * reference far enough from 0."""
    allowed = ((p - ratio * reference) / effect_in_errors(alpha=alpha)) ** 2
    left = allowed - ratio * ratio * reference * (1 - reference) / reference_rows
    return p * (1 - p) / left if left > 0 else None
