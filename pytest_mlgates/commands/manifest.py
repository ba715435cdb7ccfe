"""`mlgates manifest`: drafts the interpretability manifest from a version, the golden set and the baseline."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_mlgates.baseline.document import Baseline
    from pytest_mlgates.golden import GoldenSet
    from pytest_mlgates.measure.explanation import Explained
    from pytest_mlgates.model import Model
    from pytest_mlgates.settings import Settings

HELP = "draft the interpretability manifest: output range, top features, limits on what it may lean on"
#: Features that are declared, room that a measured range and a measured share are given, and the least share.
_TOP, _WIDER, _ROOM, _LEAST = 5, 0.1, 1.5, 0.01


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("version", nargs="?", metavar="REF", help="alias or number (default: the challenger)")
    parser.add_argument("--model", metavar="NAME", help="which model of the settings")
    parser.add_argument("--force", action="store_true", help="replace the manifest that is there")


def run(given: argparse.Namespace) -> int:
    """Raises UsageError when there is a manifest already, CouldNotEvaluate when the version cannot be explained."""
    from pytest_mlgates import settings
    from pytest_mlgates.cache import write_atomically
    from pytest_mlgates.doors.declared import KEPT, baseline_of
    from pytest_mlgates.doors.outside import golden_store, open_doors, registry_uri
    from pytest_mlgates.doors.scoring import open_scorer
    from pytest_mlgates.errors import CouldNotEvaluate, UsageError
    from pytest_mlgates.manifest import Explanation
    from pytest_mlgates.measure.explanation import explained
    from pytest_mlgates.pins import pin
    from pytest_mlgates.session.run import Run

    chosen = settings.load(Path.cwd(), {"model": given.model}, os.environ)
    place = chosen.base / chosen.manifest.file
    if place.exists() and not given.force:
        raise UsageError(f"{place} exists already: edit it there, or replace it with --force; nothing was changed")
    reference = given.version or chosen.challenger
    alone = chosen.model_copy(update={"phase": "live", "champion": reference})
    doors = open_doors(alone, registry_uri(alone, os.environ))
    pins = pin(alone, doors.registry, golden_store(alone))
    asked = Run(alone, pins, lambda: open_scorer(alone, os.environ))
    try:
        model, golden = asked.champion, asked.golden_set
        if model is None:
            raise CouldNotEvaluate(f"{chosen.model} has no {reference!r}")
        first = Explanation(top=(str(golden.X.columns[0]),))
        found = explained(model, golden, first, chosen.manifest.seconds, chosen)
        baseline, remark = None, ""
        try:
            baseline = baseline_of(KEPT, alone, pins, os.environ)
        except CouldNotEvaluate:
            remark = " (no baseline is kept with its run)"
        text = drafted(chosen, model, golden, found, baseline)
    finally:
        asked.close()
    write_atomically(place, text.encode())
    print(f"wrote {place} from {model.pinned}: {found.said()}{remark}\nlook at every line, then commit it")
    return 0


def drafted(chosen: Settings, model: Model, golden: GoldenSet, found: Explained, baseline: Baseline | None) -> str:
    """The manifest as people read it: every figure with what was measured beside it."""
    low, high = _range(chosen, model, golden)
    top = list(found.shares)[:_TOP]
    lines = [
        "# What this model says of itself. The gates `manifest` and `behaviour` hold it to that.",
        "mlgates_manifest: 1",
        f"model: {_yaml(chosen.model)}",
        f"output: {{low: {low!r}, high: {high!r}}}  # no answer may leave this range",
        "# safe_value: 0.0  # what it may answer where it must not judge; without one it refuses",
        *_switches(top, golden, baseline),
        "# columns: refused is the default; what is allowed (unknown, null, extreme, wrong_type, missing) says why:",
        f'#   {_yaml(top[0])}: {{extreme: allowed, reason: "..."}}',
        (
            "# monotone is not supported for multiclass models, whose scores are several"
            if chosen.task == "multiclass"
            else f"# monotone: {{{_yaml(top[0])}: up}}  # or down"
        ),
        "# invariant: []  # columns that nothing may hang on",
        "explanation:",
        f"  method: {found.method}",
        f"  top: [{', '.join(map(_yaml, top))}]  # {', '.join(f'{found.shares[name]:.1%}' for name in top)}",
        "  rows: 500",
        "  background: 50",
        "  seed: 0",
        "  tolerance: 0.0001",
    ]
    limited = [str(name) for name in golden.sensitive.columns if str(name) in found.columns]
    if limited:
        lines.append("shares:  # how much of the explanation these may carry; add proxies of them")
        lines += [
            f"  {_yaml(name)}: {_limit(found.shares[name])!r}  # {found.shares[name]:.1%} now" for name in limited
        ]
    return "\n".join([*lines, ""])


def _range(chosen: Settings, model: Model, golden: GoldenSet) -> tuple[float, float]:
    """Probabilities reach from 0 to 1; of anything else the measured range, somewhat wider."""
    answers = model.scores(golden.X)
    low, high = float(answers.min()), float(answers.max())
    if chosen.task != "regression" and low >= 0 and high <= 1:
        return 0.0, 1.0
    room = _WIDER * (high - low or 1.0)
    return float(f"{low - room:.3g}"), float(f"{high + room:.3g}")


def _switches(top: list[str], golden: GoldenSet, baseline: Baseline | None) -> list[str]:
    """A condition to think about: beyond what was taught, or seen where there is no baseline."""
    lines = ["# kill_switch:  # when it refuses, or gives exactly this answer"]
    for name in top:
        taught = baseline.columns.get(name) if baseline else None
        ends = (taught.numbers.low, taught.numbers.high) if taught and taught.numbers else _ends(golden, name)
        if ends[1] is not None:
            return [*lines, f"#   - {{when: {{{_yaml(name)}: {{above: {ends[1]:g}}}}}, answer: 0.0}}"]
    return [*lines, f"#   - {{when: {{{_yaml(top[0])}: {{missing: true}}}}}}"]


def _ends(golden: GoldenSet, name: str) -> tuple[float | None, float | None]:
    from pytest_mlgates.measure.golden.columns import seen

    found = seen(golden.X[name])
    return found.low, found.high


def _limit(share: float) -> float:
    return max(_LEAST, round(share * _ROOM + 0.005, 2))


def _yaml(name: Any) -> str:
    """A word as YAML takes it for itself: quoted where it could be taken for anything else."""
    import yaml

    plain = str(name)
    try:
        same = yaml.safe_load(f"[{plain}]") == [plain]
    except yaml.YAMLError:
        same = False
    return plain if same else json.dumps(plain)
