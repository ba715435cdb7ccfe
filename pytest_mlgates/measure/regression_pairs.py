"""Champion and challenger row by row: which decisions flip, which of the flips are losses, how far scores move.

A challenger that is better on average may still get wrong what the champion had right, and users notice that (Yan et
al. 2021, "Positive-Congruent Training": negative flips).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import Evidence, Interval
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.measure.slices.rows import declared_slices
from pytest_mlgates.model import Model
from pytest_mlgates.policy import RegressionPairs
from pytest_mlgates.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: A slice with fewer rows can prove nothing of a share, and is only named.
_FEWEST_ROWS = 10
_METHOD = "Clopper-Pearson"


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """What both models say of each golden row: `flip` and `negative` (n,) bool, `move` (n,) how far the score went
    (None where models answer labels only), `first` and `second` (n,) the scores.
    """

    flip: NDArray[np.bool_]
    negative: NDArray[np.bool_]
    move: NDArray[Any] | None
    first: NDArray[Any] | None
    second: NDArray[Any] | None


def negative_flips(
    golden: GoldenSet, champion: Model, challenger: Model, policy: RegressionPairs, settings: Settings
) -> tuple[Evidence, Evidence | None]:
    """(all rows, the worst slice or None without one) of rows that the champion had right and the challenger has wrong.

    Intervals are exact; weighted and clustered rows count as their effective number (Korn & Graubard 1998). The
    slice's interval is at alpha over the number of slices. Raises CouldNotEvaluate, for a regression above all.
    """
    if settings.task == "regression":
        raise CouldNotEvaluate("a regression has no decisions that could flip")
    pairs = compared(golden, champion, challenger, settings)
    share, effective = _share(pairs.negative, golden)
    interval = _interval(share, effective, 1 - 2 * policy.alpha)
    flips, _ = _share(pairs.flip, golden)
    details = {
        "flips": flips,
        "positive_flips": flips - share if settings.task == "binary" else None,
        "rows": int(pairs.negative.sum()),
        "effective_rows": effective,
        "largest_moves": largest_moves(pairs, golden, policy.shown),
    }
    whole = Evidence("negative flips", share, len(golden), interval, details=details)
    return whole, _worst_slice(pairs, golden, policy, settings)


def score_moves(
    golden: GoldenSet, champion: Model, challenger: Model, policy: RegressionPairs, settings: Settings
) -> Evidence:
    """The largest change of a golden row's score, exact, with the rows that moved most. Raises CouldNotEvaluate."""
    if settings.task == "regression" and policy.largest_move is None:
        raise CouldNotEvaluate(
            "a regression has no decisions that could flip, so only the largest move is judged: write largest_move = "
            "... in [tool.mlgates.regression_pairs], in the unit of the target"
        )
    pairs = compared(golden, champion, challenger, settings)
    if pairs.move is None:
        raise CouldNotEvaluate("the models answer labels, so no score can move: leave largest_move out")
    details = {"largest_moves": largest_moves(pairs, golden, policy.shown)}
    return Evidence("largest score move", float(pairs.move.max()), len(golden), details=details)


def compared(golden: GoldenSet, champion: Model, challenger: Model, settings: Settings) -> Pairs:
    """Both models on the golden rows. A multiclass score is that of the row's own class. Raises CouldNotEvaluate."""
    import numpy as np

    if settings.task == "multiclass":
        return _of_classes(golden, champion, challenger)
    first, second = champion.scores(golden.X), challenger.scores(golden.X)
    move = np.abs(second - first)
    if settings.task == "regression":
        nothing = np.zeros(len(golden), dtype=bool)
        return Pairs(nothing, nothing, move, first, second)
    truth = golden.y == 1
    old, new = first >= champion.threshold, second >= challenger.threshold
    return Pairs(old != new, (old == truth) & (new != truth), move, first, second)


def largest_moves(pairs: Pairs, golden: GoldenSet, shown: int) -> list[dict[str, Any]]:
    """The rows whose score moved most, largest first: place in the golden set, label, both scores, what flipped."""
    import numpy as np

    if pairs.move is None or pairs.first is None or pairs.second is None:
        return []
    found = []
    for place in np.argsort(-pairs.move, kind="stable")[:shown].tolist():
        label = golden.y[place].item()
        what = "negative" if pairs.negative[place] else "flip" if pairs.flip[place] else ""
        found.append(
            {
                "row": place,
                "label": label,
                "champion": float(pairs.first[place]),
                "challenger": float(pairs.second[place]),
                "flip": what,
            }
        )
    return found


def _of_classes(golden: GoldenSet, champion: Model, challenger: Model) -> Pairs:
    import numpy as np

    old, new = champion.chosen(golden.X), challenger.chosen(golden.X)
    flip, negative = old != new, (old == golden.y) & (new != golden.y)
    try:
        rows = np.arange(len(golden))
        first, second = (model.scores(golden.X)[rows, golden.y] for model in (champion, challenger))
    except CouldNotEvaluate:
        return Pairs(flip, negative, None, None, None)  # labels only, which flip but do not move
    return Pairs(flip, negative, np.abs(second - first), first, second)


def _worst_slice(pairs: Pairs, golden: GoldenSet, policy: RegressionPairs, settings: Settings) -> Evidence | None:
    measure = "negative flips of a slice"
    parts = declared_slices(golden, settings.slices)
    tested = [part for part in parts if part.rows.sum() >= _FEWEST_ROWS]
    small = {part.name: int(part.rows.sum()) for part in parts if part not in tested}
    if not tested:
        return None
    level = 1 - 2 * policy.alpha / len(tested)
    pictured = []
    for part in tested:
        share, effective = _share(pairs.negative, golden, part.rows)
        ends = _interval(share, effective, level)
        flips, _ = _share(pairs.flip, golden, part.rows)
        moved = None if pairs.move is None else float(pairs.move[part.rows].max())
        more = {"name": part.name, "n": int(part.rows.sum()), "flips": flips, "moved": moved}
        pictured.append((share, ends, part, more))
    # The slice most surely above a limit: the one that a limit meets first.
    share, ends, worst, _ = max(pictured, key=lambda one: (one[1].low, one[0]))
    listed = [{**more, "negative_flips": s, "low": i.low, "high": i.high} for s, i, _, more in pictured]
    details = {"slices": listed, "untestable": small}
    return Evidence(measure, share, int(worst.rows.sum()), ends, where=worst.name, details=details)


def _share(hit: NDArray[np.bool_], golden: GoldenSet, rows: NDArray[np.bool_] | None = None) -> tuple[float, float]:
    """(share of the rows that `hit`, as how many independent rows they count)."""
    import numpy as np

    from pytest_mlgates.stats.group_counts import SELECTION, group_rates

    chosen = np.ones(len(hit), dtype=bool) if rows is None else rows
    n = int(chosen.sum())
    clusters = None if golden.group is None else np.unique(golden.group[chosen], return_inverse=True)[1]
    weight = None if golden.weight is None else golden.weight[chosen]
    everyone = np.ones(n, dtype=bool)
    rates = group_rates(np.zeros(n, dtype=np.int64), 1, everyone, hit[chosen], weight=weight, clusters=clusters)
    return float(rates.value[0, SELECTION]), float(rates.effective[0, SELECTION])


def _interval(share: float, effective: float, level: float) -> Interval:
    """Clopper & Pearson's exact interval, of the effective number of rows (Korn & Graubard 1998)."""
    from pytest_mlgates.stats.special import beta_quantile

    tail = (1 - level) / 2
    hits = min(share * effective, effective)
    low = beta_quantile(tail, hits, effective - hits + 1) if hits > 0 else 0.0
    high = beta_quantile(1 - tail, hits + 1, effective - hits) if hits < effective else 1.0
    return Interval(low, high, level, _METHOD)
