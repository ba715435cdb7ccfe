"""Before anything is collected: settings read, required gates fixed, versions and golden set pinned."""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from pytest_mlgates import shipped
from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.model import threshold_of
from pytest_mlgates.pins import Pins, pin
from pytest_mlgates.ports import Registry, Scorer
from pytest_mlgates.required import Required, required_gates
from pytest_mlgates.run import Run
from pytest_mlgates.settings import Settings, load

#: Options that leave tests out, and are no habit written in an ini file, as `-m "not slow"` is: a gate that `-m`
#: leaves out is missing, which holds anyway.
_NARROWING = {
    "keyword": "-k",
    "lf": "--lf",
    "deselect": "--deselect",
    "collectonly": "--collect-only",
}
_OPTIONS = ("phase", "model", "champion", "challenger", "report")


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the controller has fixed. `registry` is None when it could not be opened (the pins say why)."""

    settings: Settings
    required: Required
    run: Run
    registry: Registry | None
    registry_name: str
    thresholds: Mapping[str, tuple[float, str]]
    apply: bool

    @property
    def pins(self) -> Pins:
        return self.run.pins

    def header(self) -> list[str]:
        settings, pins = self.settings, self.pins
        wrote = sorted(set(settings.origins.values()))
        lines = [f"mlgates: {settings.model}, phase {settings.phase}, settings from {', '.join(wrote)}"]
        if pins.challenger:
            champion = f"champion {pins.champion.version}" if pins.champion else "no champion yet"
            lines.append(f"mlgates: challenger {pins.challenger.version} against {champion} in {self.registry_name}")
            if settings.task == "binary":
                said = [f"{role} {value:g} ({source})" for role, (value, source) in self.thresholds.items()]
                lines.append(f"mlgates: threshold {', '.join(said)}")
        if pins.golden:
            remark = f" ({pins.golden.remark})" if pins.golden.remark else ""
            lines.append(f"mlgates: golden set {settings.golden} md5 {pins.golden.md5}{remark}")
        return lines


def only_asks(config: pytest.Config) -> bool:
    """True for calls that print something about pytest and run nothing."""
    option = config.option
    return bool(option.help or option.version or getattr(option, "markers", False) or option.showfixtures)


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
    settings = load(config.invocation_params.dir, options, os.environ)
    if option.mlgate_apply:
        _promotable(settings)
    required = required_gates(settings, _shipped_for(settings), datetime.date.today())
    # Its imports take longer than ours, so it starts before the registry's client is imported.
    early = None if _distributed(config) or option.collectonly else scorer(settings)
    try:
        pins, registry, name = _pinned(settings)
        roles = {"champion": pins.champion, "challenger": pins.challenger}
        thresholds = {role: threshold_of(settings, one.version.tags) for role, one in roles.items() if one}
    except BaseException:
        if early is not None:
            early.close()
        raise
    run = Run(settings, pins, lambda: early or scorer(settings), early)
    return Prepared(settings, required, run, registry, name, thresholds, option.mlgate_apply)


def choose_paths(config: pytest.Config, prepared: Prepared) -> None:
    """With no path given, the shipped gates that are asked for and the folders of the settings; explicit paths
    win, but the identity gates always come along: without them nothing may be loaded.
    """
    files = shipped.gate_files()
    asked = [str(files[name]) for name in prepared.required.asked if name in files]
    if config.args_source is pytest.Config.ArgsSource.ARGS:
        given = {str((config.invocation_params.dir / arg.split("::")[0]).resolve()) for arg in config.args}
        config.args += [str(files[name]) for name in ("golden_integrity",) if str(files[name]) not in given]
        return
    own = [prepared.settings.base / path for path in prepared.settings.paths]
    for path in own:
        if not path.exists():
            place = prepared.settings.origin("paths")
            raise UsageError(f"paths in {place} names {path}, which does not exist")
    config.args = asked + [str(path) for path in own]


def scorer(settings: Settings) -> Scorer:
    from pytest_mlgates.adapters.scorer import ChildScorer

    return ChildScorer(timeout=settings.scoring_timeout, shown=settings.scoring_env, environ=os.environ)


def _pinned(settings: Settings) -> tuple[Pins, Registry | None, str]:
    from pytest_mlgates.adapters.dvc_golden import DvcGolden
    from pytest_mlgates.adapters.mlflow_registry import MlflowRegistry, has_password, resolved_uri, without_secrets

    if "environment" not in settings.origin("registry") and has_password(settings.registry):
        place = settings.origin("registry")
        raise UsageError(f"registry in {place} holds a password: set MLFLOW_TRACKING_URI in the environment instead")
    uri = resolved_uri(settings.registry, settings.base, os.environ)
    name = without_secrets(uri)
    try:
        registry = MlflowRegistry(uri, settings.model, settings.cache_dir)
    except CouldNotEvaluate as problem:
        return Pins(problem=str(problem)), None, name
    return pin(settings, registry, DvcGolden(settings.golden_file)), registry, name


def _promotable(settings: Settings) -> None:
    if settings.champion.isdigit() or "/" in settings.champion:
        raise UsageError(
            f"--mlgate-apply moves the champion, and {settings.champion!r} ({settings.origin('champion')}) is a fixed "
            "version: give an alias, or stage:NAME"
        )


def _shipped_for(settings: Settings) -> list[str]:
    return list(shipped.gate_files()) if settings.phase == "promotion" else []


def _distributed(config: pytest.Config) -> bool:
    return bool(getattr(config.option, "dist", "no") != "no")
