"""Before anything is collected: settings read, required gates fixed, versions and golden set pinned."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from pytest_mlgates import shipped
from pytest_mlgates.doors.outside import Doors, code_repository, golden_store, open_doors, open_runs, registry_uri
from pytest_mlgates.doors.scoring import open_scorer
from pytest_mlgates.doors.serving import swept
from pytest_mlgates.errors import ActionFailed, CouldNotEvaluate, UsageError
from pytest_mlgates.ledger import State, digest_on_record, rollback_targets
from pytest_mlgates.ledger.history import first_champion, first_sight, judged_on, last_drill, past
from pytest_mlgates.model import threshold_of
from pytest_mlgates.origin.lineage import trace
from pytest_mlgates.pins import Pins, pin, with_first_champion, with_first_sight, with_former
from pytest_mlgates.policy import PHASE_OF_KIND
from pytest_mlgates.promotion.actor import actor
from pytest_mlgates.promotion.book import digests
from pytest_mlgates.promotion.budget import at_enforced_level, budget_of
from pytest_mlgates.promotion.opening import Opening, open_ledger
from pytest_mlgates.required import IDENTITY, required_gates
from pytest_mlgates.session.prepared import Prepared
from pytest_mlgates.session.run import Run
from pytest_mlgates.settings import Settings, load

if TYPE_CHECKING:
    from pytest_mlgates.rollout.following import Following

#: Options that leave tests out, and are no habit written in an ini file, as `-m "not slow"` is: a gate that `-m`
#: leaves out is missing, which holds anyway.
_NARROWING = {
    "keyword": "-k",
    "lf": "--lf",
    "deselect": "--deselect",
    "collectonly": "--collect-only",
}
_LEAVING_OUT = {**_NARROWING, "markexpr": "-m", "stepwise": "--stepwise"}
_OPTIONS = ("phase", "model", "champion", "challenger", "report")


def only_asks(config: pytest.Config) -> bool:
    """True for calls that print something about pytest and run nothing."""
    option = config.option
    return bool(option.help or option.version or getattr(option, "markers", False) or option.showfixtures)


def narrowed_by(config: pytest.Config) -> str:
    """The options of this call that leave tests out, "" without any."""
    return " and ".join(flag for name, flag in _LEAVING_OUT.items() if getattr(config.option, name, None))


def prepare(config: pytest.Config) -> Prepared:
    """Raises UsageError."""
    option = config.option
    if option.mlgate_apply:
        narrowed = [flag for name, flag in _NARROWING.items() if getattr(option, name, None)]
        if narrowed:
            raise UsageError(
                f"--mlgate-apply together with {narrowed[0]}: gates that are left out are not judged, so nothing "
                f"can be promoted; drop one of the two"
            )
    options = {name: getattr(option, f"mlgate_{name}") for name in _OPTIONS}
    if options["report"]:
        options["report"] = str(config.invocation_params.dir / options["report"])
    settings = at_enforced_level(load(config.invocation_params.dir, options, os.environ))
    if option.mlgate_apply:
        _promotable(settings)
    required = required_gates(settings, _shipped_for(settings), datetime.date.today())
    uri = registry_uri(settings, os.environ)
    # Its imports take longer than ours, so it starts before the registry's client is imported.
    # Most looks at what serves ask no model at all.
    lazy = _distributed(config) or option.collectonly or settings.phase == "live"
    early = None if lazy else open_scorer(settings, os.environ)
    try:
        pins, doors, opening = _pinned(settings, uri, apply=option.mlgate_apply)
        if "lineage" in required.asked:
            pins = _traced(pins, settings, uri)
        if "rolling_quality" in required.asked and doors is not None:
            state = opening.state
            known = [(n, digest_on_record(state, n)) for n in rollback_targets(state)] if state else []
            pins = with_former(pins, doors.registry, known)
        roles = {"champion": pins.champion, "challenger": pins.challenger}
        thresholds = {role: threshold_of(settings, one.version.tags) for role, one in roles.items() if one}
    except BaseException:
        if early is not None:
            early.close()
        raise
    run = Run(settings, pins, lambda: early or open_scorer(settings, os.environ), early)
    spent = judged_on(opening.state, pins.golden.md5) if opening.state and pins.golden else ()
    budget = budget_of(settings, spent)
    left = tuple(swept(settings.run_dir))
    return Prepared(
        settings,
        required,
        run,
        doors,
        opening,
        thresholds,
        budget,
        option.mlgate_apply,
        option.mlgate_record,
        left,
        _following(settings, doors, uri) if doors else None,
    )


def choose_paths(config: pytest.Config, prepared: Prepared) -> None:
    """With no path given, the shipped gates that are asked for and the folders of the settings; explicit paths
    win, but the identity gates always come along: without them nothing may be loaded.
    """
    files = shipped.gate_files()
    asked = [str(files[name]) for name in prepared.required.asked if name in files]
    if config.args_source is pytest.Config.ArgsSource.ARGS:
        given = {str((config.invocation_params.dir / arg.split("::")[0]).resolve()) for arg in config.args}
        config.args += [
            str(files[name]) for name in IDENTITY if name in prepared.required.asked and str(files[name]) not in given
        ]
        return
    own = [prepared.settings.base / path for path in prepared.settings.paths]
    for path in own:
        if not path.exists():
            place = prepared.settings.origin("paths")
            raise UsageError(f"paths in {place} names {path}, which does not exist")
    config.args = asked + [str(path) for path in own]


def _pinned(settings: Settings, uri: str, *, apply: bool) -> tuple[Pins, Doors | None, Opening]:
    try:
        doors = open_doors(settings, uri)
    except CouldNotEvaluate as problem:
        return Pins(problem=str(problem)), None, Opening()
    # What a killed run left unfinished is finished before anything is judged against it.
    opening = open_ledger(doors, settings, apply=apply, actor=actor())
    if apply and settings.cluster is not None and settings.phase != "drill":
        opening = _caught_up(opening, settings, doors, uri)
    pins = pin(settings, doors.registry, golden_store(settings))
    if opening.state:
        pins = replace(pins, drill=_last_drill(opening.state), past=past(opening.state))
    if pins.golden and opening.state and settings.golden_regression.anchor != "off":
        pins = with_first_champion(pins, doors.registry, *first_champion(opening.state, pins.golden.md5))
    if opening.state:
        pins = with_first_sight(pins, partial(first_sight, opening.state))
    return pins, doors, opening


def _caught_up(opening: Opening, settings: Settings, doors: Doors, uri: str) -> Opening:
    """The workload is where the alias is; a move that was cut short is finished first."""
    open_workload = _following(settings, doors, uri)
    if opening.trouble or open_workload is None:
        return opening
    try:
        did, trouble = open_workload().catch_up(doors.registry.find(settings.champion))
    except (CouldNotEvaluate, ActionFailed) as problem:
        return replace(opening, trouble=str(problem))
    return replace(opening, did=(*opening.did, did) if did else opening.did, trouble=trouble)


def _following(settings: Settings, doors: Doors, uri: str) -> Callable[[], Following] | None:
    if settings.cluster is None:
        return None
    from pytest_mlgates.rollout.following import following

    return following(settings, doors.registry, uri, os.environ, digests(doors.log))


def _last_drill(state: State) -> tuple[str, str]:
    """(when, verdict and where) of the last drill on record, or nothing."""
    entry = last_drill(state)
    return (entry.time, entry.reason) if entry else ("", "")


def _traced(pins: Pins, settings: Settings, uri: str) -> Pins:
    """Looked up here and not in the gate, so that all workers see the same, and none of them needs MLflow."""
    one = pins.subject
    if one is None:
        return pins
    return replace(pins, lineage=trace(one.version, one.digest, lambda: open_runs(uri), code_repository(settings)))


def _promotable(settings: Settings) -> None:
    if settings.champion.isdigit() or "/" in settings.champion:
        raise UsageError(
            f"--mlgate-apply moves the champion, and {settings.champion!r} ({settings.origin('champion')}) is a fixed "
            "version: give an alias, or stage:NAME"
        )


def _shipped_for(settings: Settings) -> list[str]:
    other = {name for name, phase in PHASE_OF_KIND.items() if phase != "promotion"}
    return [name for name in shipped.gate_files() if name not in other] if settings.phase == "promotion" else []


def _distributed(config: pytest.Config) -> bool:
    return bool(getattr(config.option, "dist", "no") != "no")
