"""What `mlgates init` will write: options first, then what was found, then a person's answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_mlgates.adoption import columns, files, registered
from pytest_mlgates.adoption.guess import Guess, Registered, listed
from pytest_mlgates.adoption.pinning import needs_repository
from pytest_mlgates.errors import CouldNotEvaluate, UsageError

if TYPE_CHECKING:
    import pandas as pd

_QUESTIONS = {
    "model": "name of the registered model",
    "champion": "alias of the version that serves",
    "challenger": "alias of the version that wants to serve",
    "golden": "golden set, a Parquet or CSV file",
    "label": "label column of the golden set",
    "task": "task (binary, multiclass or regression)",
    "positive_class": "label that counts as positive",
}
_TASKS = ("binary", "multiclass", "regression")


class Answers:
    """Who answers: the options, then `yes` for whatever was found, then a person (`ask`, None without a terminal)."""

    def __init__(self, given: Mapping[str, Any], *, yes: bool, ask: Callable[[str], str] | None) -> None:
        self.given, self.yes, self._ask = given, yes, ask
        self.why: dict[str, str] = {}

    def settle(self, key: str, guess: Guess) -> Any:
        """The value of `key`. Raises UsageError with the option to give when nobody can say."""
        if self.given.get(key):
            return self.given[key]
        if guess and self.yes:
            self.why[key] = guess.why
            return guess.value
        option, question = f"--{key.replace('_', '-')}", _QUESTIONS[key]
        if self.yes:
            raise UsageError(f"{option} cannot be guessed: {guess.why}; give {option}, the {question}")
        if self._ask is None:
            found = f"add --yes to take {guess.value!r} ({guess.why}), or " if guess else ""
            raise UsageError(f"{option} is missing and there is no terminal to ask on: {found}give the {question}")
        answer = self._ask(f"{question} [{guess.value}]: " if guess else f"{question}: ").strip()
        if not answer and guess:
            self.why[key] = guess.why
            return guess.value
        if not answer:
            raise UsageError(f"no answer for the {question}; nothing was changed")
        return answer

    def confirmed(self, question: str) -> bool:
        """True by --yes or by a person."""
        if self.yes:
            return True
        return self._ask is not None and self._ask(f"{question} [Y/n] ").strip().lower() in ("", "y", "yes")


@dataclass
class Plan:
    """`values` by key of the settings, `why` of what was guessed; `pin` the golden set, and `start` a DVC repository
    for it; `remarks` for what a person should know, `left` for what is left to do.
    """

    values: dict[str, Any]
    why: dict[str, str]
    golden: Path
    pin: bool = False
    start: bool = False
    remarks: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def found(self) -> list[str]:
        """A line for everything that nobody said."""
        return [f"found {key} = {self.values[key]!r}: {why}" for key, why in self.why.items()] + self.remarks


def made(root: Path, answers: Answers, environ: Mapping[str, str]) -> Plan:
    """Raises UsageError when something cannot be guessed, or an answer cannot be used."""
    remarks: list[str] = []
    values: dict[str, Any] = {}
    uri, written = _registry(root, answers, environ)
    if written:
        values["registry"] = written
    catalog, trouble = _catalog(uri, root, environ)
    if trouble and answers.yes and not answers.given.get("model"):
        raise UsageError(f"--model cannot be guessed: {trouble}; give --registry or MLFLOW_TRACKING_URI, or --model")
    known = [Registered(**one) for one in catalog.models()] if catalog else []
    values["model"] = answers.settle("model", registered.model(known, catalog.name) if catalog else Guess(why=trouble))
    one = next((one for one in known if one.name == values["model"]), None)
    if one is not None:
        _versions(one, answers, values, remarks)
    golden = str(answers.settle("golden", files.golden(root)))
    file, pinned = _existing(root, golden)
    values["golden"] = golden
    ask = f"DVC pins the golden set: `dvc add {golden}`?"
    pin = not pinned and bool(answers.given.get("dvc_add") or answers.confirmed(ask))
    frame = _rows(file)
    inputs = catalog.inputs(one.name, _version(one, values)) if catalog and one and one.newest else None
    _columns(frame, inputs, answers, values)
    if one is not None and one.newest and inputs is None and frame is not None:
        remarks.append(_unknown_inputs(frame, values))
    found = files.lock(root)
    if found:
        values["env_lock.serving"], answers.why["env_lock.serving"] = found.value, found.why
    values["gates"] = [gate.strip() for gate in str(answers.given.get("gates") or "default").split(",")]
    start = pin and needs_repository(file.parent) and answers.confirmed("There is no DVC repository: `dvc init`?")
    left = [] if pinned or pin else [f"pin the golden set: dvc add {golden}"]
    return Plan(values, answers.why, file, pin, start, remarks, left)


def _registry(root: Path, answers: Answers, environ: Mapping[str, str]) -> tuple[str, str]:
    """(the registry's URI as settings would have it or "", what to write): the environment's is not written."""
    given = str(answers.given.get("registry") or "")
    if given:
        return given, given
    if environ.get("MLFLOW_REGISTRY_URI") or environ.get("MLFLOW_TRACKING_URI"):
        return "", ""
    found = files.registry(root)
    if found:
        answers.why["registry"] = found.why
    return (found.value, found.value) if found else ("", "")


def _catalog(uri: str, root: Path, environ: Mapping[str, str]) -> tuple[Any, str]:
    """What the registry holds, or why it cannot be asked."""
    from pytest_mlgates.adapters.mlflow.catalog import MlflowCatalog
    from pytest_mlgates.adapters.mlflow.client import has_password, resolved_uri

    if has_password(uri):
        raise UsageError("--registry holds a password: set MLFLOW_TRACKING_URI in the environment instead")
    if not uri and not (environ.get("MLFLOW_REGISTRY_URI") or environ.get("MLFLOW_TRACKING_URI")):
        return None, files.registry(root).why
    try:
        catalog = MlflowCatalog(resolved_uri(uri, root, environ))
        catalog.models()
    except (CouldNotEvaluate, UsageError) as trouble:
        return None, str(trouble)
    return catalog, ""


def _versions(one: Registered, answers: Answers, values: dict[str, Any], remarks: list[str]) -> None:
    """Aliases are written where they are found; a model without any gets the usual names, and a remark."""
    champion = registered.champion(one)
    if not champion and not one.aliases:
        remarks.append(f"{champion.why}: set the aliases 'champion' and 'challenger' on its versions")
        for key in ("champion", "challenger"):
            if answers.given.get(key):
                values[key] = answers.given[key]
        return
    values["champion"] = _alias("champion", champion, answers)
    values["challenger"] = _alias("challenger", registered.challenger(one, values["champion"]), answers)


def _alias(key: str, guess: Guess, answers: Answers) -> str:
    """An alias that is called as by default is nothing to ask about."""
    if guess.value == key and not answers.given.get(key):
        return key
    return str(answers.settle(key, guess))


def _version(one: Registered, values: Mapping[str, Any]) -> str:
    """The version whose signature is asked for: the one that serves, else the newest."""
    champion = str(values.get("champion", ""))
    return one.aliases.get(champion) or one.stages.get(champion.removeprefix("stage:")) or one.newest


def _existing(root: Path, golden: str) -> tuple[Path, bool]:
    file = root / golden
    pointer = file.with_name(file.name + ".dvc")
    if not file.is_file() and not pointer.is_file():
        raise UsageError(f"neither {file} nor its pointer {pointer.name} exists: give the path of the golden set")
    return file, pointer.is_file()


def _rows(file: Path) -> pd.DataFrame | None:
    """The golden set's rows, pulled by DVC where they are not here yet; None when they cannot be had."""
    from pytest_mlgates.adapters.golden.dvc_golden import DvcGolden
    from pytest_mlgates.golden import parsed

    try:
        if not file.is_file():
            store = DvcGolden(file)
            store.ensure(store.pointer())
        return parsed(file, file.read_bytes(), "the golden set")
    except (CouldNotEvaluate, OSError):
        return None


def _columns(frame: pd.DataFrame | None, inputs: Any, answers: Answers, values: dict[str, Any]) -> None:
    unread = Guess(why=f"the golden set {values['golden']} cannot be read from here")
    name = values["label"] = answers.settle("label", unread if frame is None else columns.label(frame, inputs))
    labels = frame[name] if frame is not None and name in frame.columns else None
    values["task"] = answers.settle("task", unread if labels is None else columns.task(labels))
    if values["task"] not in _TASKS:
        raise UsageError(f"task must be binary, multiclass or regression, not {values['task']!r}")
    if frame is None or labels is None:
        return
    if values["task"] == "binary":
        positive = columns.positive_class(labels)
        if positive.value != 1 or answers.given.get("positive_class"):
            values["positive_class"] = _as_label(labels, answers.settle("positive_class", positive))
    roles = columns.roles(frame, name, inputs)
    reason = "no input of the model" if inputs is not None else "by its name and values"
    for key in ("ignore", "weight", "group", "sensitive"):
        if getattr(roles, key):
            values[key] = getattr(roles, key)
            answers.why[key] = "named so, with few groups" if key == "sensitive" else reason


def _unknown_inputs(frame: pd.DataFrame, values: Mapping[str, Any]) -> str:
    """What a person has to look at where nothing says which columns the model receives."""
    aside = {values.get("label"), values.get("weight"), *values.get("ignore", ())}
    left = [str(name) for name in frame.columns if name not in aside]
    return (
        f"no signature is kept with the model, so it is given every other column ({listed(left)}): name in ignore "
        "those that it does not receive"
    )


def _as_label(labels: Any, given: Any) -> Any:
    """An option is text; the label it means may be a number."""
    values = labels.dropna().unique().tolist()
    same = [value for value in values if str(value) == str(given)]
    if not same:
        raise UsageError(f"positive_class {str(given)!r} is no label: there are {listed(sorted(map(str, values)))}")
    value = same[0]
    return int(value) if isinstance(value, float) and value.is_integer() else value
