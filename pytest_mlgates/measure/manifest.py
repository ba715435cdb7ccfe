"""Is the model as its manifest says: its range, its kill switches, and what it leans on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import Evidence, Interval
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.manifest import Clause, Explanation, Manifest, Switch
from pytest_mlgates.measure.explanation import FEWEST, Explained
from pytest_mlgates.measure.plain_cells import plain_cells
from pytest_mlgates.model import Model
from pytest_mlgates.policy import Manifest as Policy
from pytest_mlgates.settings import Settings
from pytest_mlgates.wording import YES_NO, figure

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Golden rows on which a kill switch is tried.
_TRIED = 5
_SHOWN = 3


def declared(golden: GoldenSet, manifest: Manifest | None, settings: Settings) -> Manifest:
    """The manifest, whose columns the models receive. Raises CouldNotEvaluate without one, UsageError."""
    if manifest is None:
        raise CouldNotEvaluate(
            f"there is no manifest {settings.manifest.file} ({settings.origin('manifest')}): run `mlgates manifest`, "
            "look at what it wrote, and commit it"
        )
    manifest.check_columns(map(str, golden.X.columns), settings.manifest.file)
    return manifest


def in_range(golden: GoldenSet, model: Model, manifest: Manifest) -> Evidence:
    """1 when every golden row is answered within the declared range."""
    answers = model.scores(golden.X)
    low, high = float(answers.min()), float(answers.max())
    ends = manifest.output
    holds = ends.low <= low and high <= ends.high
    said = f"answers reach from {figure(low)} to {figure(high)}"
    reason = f"{said}, the manifest declares {figure(ends.low)} to {figure(ends.high)}"
    return Evidence("output in range", float(holds), len(golden), unit=YES_NO, details={"reason": reason})


def switches_hold(golden: GoldenSet, model: Model, manifest: Manifest, within: float) -> list[Evidence]:
    """One figure a kill switch: golden rows that are made to meet its condition are refused, or get its answer."""
    rows = plain_cells(golden.X.head(_TRIED))
    return [_switch(place, switch, rows, model, within) for place, switch in enumerate(manifest.kill_switch)]


def _switch(place: int, switch: Switch, rows: Sequence[dict[str, Any]], model: Model, within: float) -> Evidence:
    asked = [[row | {column: _met(clause) for column, clause in switch.when.items()}] for row in rows]
    said = model.ask(*asked, within=within)
    wrong = [one for one in said if not one.refused and one.values != [switch.answer]]
    what = "refused" if switch.answer is None else f"refused or answered {figure(switch.answer)}"
    reason = f"all {len(said)} rows that meet it are {what}"
    if wrong:
        reason = (
            f"{len(wrong)} of {len(said)} rows that meet it are not {what}, but {wrong[0].values or wrong[0].broke}"
        )
    where = f"{place + 1}: {', '.join(switch.when)}"
    details = {"reason": f"kill switch {where}: {reason}", "why": switch.reason}
    return Evidence("kill switch holds", float(not wrong), len(said), unit=YES_NO, where=where, details=details)


def _met(clause: Clause) -> Any:
    """A cell for which the condition holds."""
    if clause.missing:
        return None
    if clause.one_of is not None:
        return clause.one_of[0]
    if clause.below is not None:
        return _whole(clause.below) - 1
    assert clause.above is not None
    return _whole(clause.above) + 1


def _whole(limit: float) -> float:
    return int(limit) if limit == int(limit) else limit


def agreement(found: Explained, asked: Explanation, golden: GoldenSet, policy: Policy) -> Evidence:
    """How far the declared top features are the measured ones: average overlap, with a bootstrap over rows."""
    from pytest_mlgates.stats.agreement import average_overlap, percentiles

    title, too_little = "top features agree", _too_little(found, golden)
    if too_little:
        return Evidence(title, None, len(found.rows), cannot_say=too_little)
    top = [found.columns.index(name) for name in asked.top]
    draws = _drawn(found, golden, policy, asked.seed)
    overlaps = _array([average_overlap(top, _ranked(means)) for means in draws])
    low, high = percentiles(overlaps, policy.alpha)
    point = average_overlap(top, _ranked(found.weights.mean(axis=0)))
    interval = Interval(low, high, 1 - 2 * policy.alpha, "bootstrap over rows")
    details = {
        "declared": list(asked.top),
        "measured": list(found.shares)[: len(top)],
        "shares": found.shares,
        "explained": found.said(),
        "seed": asked.seed,
        "draws": policy.draws,
    }
    return Evidence(title, point, len(found.rows), interval, details=details)


def adds_up(found: Explained, asked: Explanation) -> Evidence:
    """The largest miss between an explanation's sum and the model's own answer, as a share of the answers' range."""
    details = {"scale": found.scale, "explained": found.said()}
    return Evidence("additivity gap", found.gap / found.span, len(found.rows), details=details)


def same_again(found: Explained) -> Evidence:
    """By how much the first rows' values differ when they are asked for once more."""
    return Evidence("values asked again differ by", found.again, len(found.rows), details={"method": found.method})


def leaning(
    found: Explained, manifest: Manifest, golden: GoldenSet, policy: Policy, seed: int
) -> list[tuple[Evidence, float]]:
    """(the share of the explanation that each limited feature carries, with its bootstrap interval; the limit)."""
    from pytest_mlgates.stats.agreement import percentiles

    measure, too_little = "share of the explanation", _too_little(found, golden)
    if too_little:
        none = [Evidence(measure, None, len(found.rows), where=name, cannot_say=too_little) for name in manifest.shares]
        return list(zip(none, manifest.shares.values(), strict=True))
    draws = _drawn(found, golden, policy, seed)
    shares = draws / draws.sum(axis=1, keepdims=True).clip(min=1e-300)
    judged = []
    for name, limit in manifest.shares.items():
        ends = percentiles(shares[:, found.columns.index(name)], policy.alpha)
        interval = Interval(*ends, 1 - 2 * policy.alpha, "bootstrap over rows")
        judged.append((Evidence(measure, found.shares[name], len(found.rows), interval, where=name), limit))
    return judged


def moved(challenger: Explained, champion: Explained | str) -> Evidence:
    """How much of the explanation is carried by other features than with the champion: half the sum of differences.

    `champion` is why it could not be explained, where that is so.
    """
    measure, n = "explanation moved", len(challenger.rows)
    if isinstance(champion, str):
        return Evidence(measure, None, n, cannot_say=champion)
    old, new = champion.shares, challenger.shares
    change = {name: new.get(name, 0.0) - old.get(name, 0.0) for name in {**new, **old}}
    most = sorted(change, key=lambda name: -abs(change[name]))[:_SHOWN]
    said = ", ".join(f"{name} {old.get(name, 0.0):.1%} to {new.get(name, 0.0):.1%}" for name in most)
    details = {"reason": f"most: {said}", "champion": old, "challenger": new}
    return Evidence(measure, sum(map(abs, change.values())) / 2, n, details=details)


def _too_little(found: Explained, golden: GoldenSet) -> str:
    """Why nothing can be said of which features matter, or ""."""
    import numpy as np

    units = len(found.rows) if golden.group is None else len(np.unique(golden.group[found.rows]))
    if units < FEWEST:
        what = "rows" if golden.group is None else "groups of rows"
        return f"{units} {what} were explained, and {FEWEST} are needed"
    return "" if found.weights.any() else "no feature moves any answer, so none matters more than another"


def _drawn(found: Explained, golden: GoldenSet, policy: Policy, seed: int) -> NDArray[Any]:
    from pytest_mlgates.stats.agreement import bootstrap_means

    groups = None if golden.group is None else golden.group[found.rows]
    return bootstrap_means(found.weights, groups, draws=policy.draws, seed=seed)


def _ranked(means: NDArray[Any]) -> list[int]:
    return [int(place) for place in (-means).argsort(kind="stable")]


def _array(values: Sequence[float]) -> NDArray[Any]:
    import numpy as np

    return np.asarray(values)
