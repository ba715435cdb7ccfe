"""How the golden set has been used, for `mlgates golden`: its budget, and the champion's figures on these very rows.

Figures of two versions of a set are never compared, so the champion is scored anew whenever the set changes; its
answers on a set that did not change are kept.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from pytest_mlgates.doors.outside import Doors, open_doors, registry_uri
from pytest_mlgates.doors.scoring import open_scorer
from pytest_mlgates.errors import MlgatesError
from pytest_mlgates.fingerprint import of_folder
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.ledger import State
from pytest_mlgates.ledger.history import first_champion, judged_on
from pytest_mlgates.measure.quality import floor, metrics_of
from pytest_mlgates.model import Scoring
from pytest_mlgates.pins import PinnedModel
from pytest_mlgates.ports import Version
from pytest_mlgates.promotion.actor import actor
from pytest_mlgates.promotion.budget import at_enforced_level, budget_of
from pytest_mlgates.promotion.opening import open_ledger
from pytest_mlgates.settings import Settings
from pytest_mlgates.wording import figure, interval


def use_of(settings: Settings, golden: GoldenSet) -> Iterator[str]:
    """Lines for people; what cannot be had is said and stops nothing."""
    try:
        doors = open_doors(settings, registry_uri(settings, os.environ))
        opening = open_ledger(doors, settings, apply=False, actor=actor())
        champion = doors.registry.find(settings.champion)
    except MlgatesError as problem:
        yield f"budget      unknown: {problem}"
        return
    if opening.trouble and opening.state is None:
        yield f"budget      unknown: {opening.trouble}"
    else:
        yield from _budget(settings, golden, opening.state)
    if champion is None:
        yield f"champion    none: {settings.champion!r} means no version of {settings.model}"
        return
    try:
        yield from _figures(at_enforced_level(settings), golden, doors, champion, opening.state)
    except MlgatesError as problem:
        yield f"champion    {champion} cannot be scored on these rows: {problem}"


def _budget(settings: Settings, golden: GoldenSet, state: State | None) -> Iterator[str]:
    spent = judged_on(state, golden.version) if state else ()
    yield f"budget      {budget_of(settings, spent).state()}"
    if spent:
        first = first_champion(state, golden.version)[0] if state else ""
        yield f"            {', '.join(spent)}{f'; the first of them against v{first}' if first else ''}"


def _figures(
    settings: Settings, golden: GoldenSet, doors: Doors, champion: Version, state: State | None
) -> Iterator[str]:
    files = doors.registry.files(champion)
    pinned = PinnedModel(champion, settings.champion, str(files), of_folder(files))
    scoring = Scoring(settings, {"champion": pinned}, lambda: open_scorer(settings, os.environ), lambda: golden)
    model = scoring.model("champion")
    assert model is not None
    try:
        found = [floor(one.metric, golden, model, settings) for one in metrics_of(settings.golden_regression, settings)]
    finally:
        scoring.close()
    for evidence in found:
        told = evidence.cannot_say if evidence.value is None else f"{figure(evidence.value)} {interval(evidence)}"
        yield f"champion    {champion}: {evidence.measure} {told}".rstrip()
    made = [ruling.entry for ruling in state.counted if ruling.entry.to == champion.number] if state else []
    if made and made[-1].golden not in ("", golden.version):
        yield f"            it was promoted on version {made[-1].golden[:8]}, whose figures are not compared with these"
