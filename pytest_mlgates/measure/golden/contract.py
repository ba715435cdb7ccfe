"""Does the golden set keep its contract, and does the model ask for what the contract promises?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest_mlgates.contract as contracts
from pytest_mlgates.contract import Column, Contract
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.measure.golden.columns import Seen, seen
from pytest_mlgates.validation import did_you_mean
from pytest_mlgates.wording import YES_NO

#: The words of MLflow signatures, by kind of column.
_SIGNATURE = {
    "integer": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "boolean": "boolean",
    "string": "text",
    "datetime": "date",
}
#: What a column of the contract may be given to: whole numbers serve where numbers are asked for.
_SERVES = {"integer": ("integer", "number"), "boolean": ("boolean",)}


def kept(golden: GoldenSet) -> list[Evidence]:
    """One figure for the whole golden set, and one a column that breaks the contract beside it, each 1 or 0.

    Raises CouldNotEvaluate when there is no contract, UsageError when its file is wrong.
    """
    contract = contracts.load(golden.path)
    broken = dict(_broken(golden, contract))
    remark = "" if contract.golden in ("", golden.version) else f" (frozen from version {contract.golden[:8]})"
    n, of = len(golden), len(contract.columns)
    said = f"{len(broken)} of {of} columns break" if broken else f"all {of} columns keep"
    whole = _yes("contract kept", not broken, n, f"{said} the contract {contracts.place_of(golden.path).name}{remark}")
    return [whole, *(_yes("contract kept", False, n, why, column) for column, why in broken.items())]


def inputs(golden: GoldenSet, files: str, name: str) -> list[Evidence]:
    """The columns that the model in the folder `files` asks for by its signature, held against the contract.

    Nothing at all when the model has no signature with named columns. Raises CouldNotEvaluate for an MLmodel file
    that cannot be read.
    """
    asked = _signature(Path(files) / "MLmodel", name)
    if not asked:
        return []
    contract = contracts.load(golden.path)
    broken = {column: why for column, kind in asked.items() if (why := _unserved(column, kind, contract, name))}
    n = len(golden)
    some, every = f"{len(broken)} of {len(asked)} inputs of {name} are not in", f"{len(asked)} inputs of {name} are in"
    said = some if broken else every
    whole = _yes("inputs promised", not broken, n, f"{said} the contract")
    return [whole, *(_yes("inputs promised", False, n, why, column) for column, why in broken.items())]


def _yes(measure: str, holds: bool, n: int, reason: str, where: str = "") -> Evidence:
    return Evidence(measure, float(holds), n, unit=YES_NO, where=where, details={"reason": reason})


def _broken(golden: GoldenSet, contract: Contract) -> Iterator[tuple[str, str]]:
    """(column, why) of every column that does not keep the contract."""
    frame = golden.X
    for name in map(str, frame.columns):
        if name not in contract.columns:
            yield name, f"column {name!r} is not in the contract: {did_you_mean(name, contract.columns)}"
    for name, promised in contract.columns.items():
        if name not in frame.columns:
            yield name, f"column {name!r} of the contract is missing in the golden set"
        elif why := "; ".join(_differences(name, seen(frame[name]), promised)):
            yield name, why
    if contract.label is not None and golden.classes:
        new = [label for label in golden.classes if label not in contract.label]
        if new:
            yield "label", f"the labels {', '.join(map(repr, new))} are not in the contract's"


def _differences(name: str, found: Seen, promised: Column) -> Iterator[str]:
    if found.nulls > promised.nulls * found.rows:
        yield f"{name!r} has {found.nulls / found.rows:.2%} nulls, the contract allows {promised.nulls:.2%}"
    if found.nulls == found.rows:
        return
    if promised.kind not in _SERVES.get(found.kind, (found.kind,)):
        yield f"{name!r} holds {found.kind} values, the contract says {promised.kind}"
        return
    below = promised.low is not None and found.low is not None and found.low < promised.low
    above = promised.high is not None and found.high is not None and found.high > promised.high
    if below or above:
        low, high = (_end(end) for end in (promised.low, promised.high))
        yield f"{name!r} reaches from {found.low:.15g} to {found.high:.15g}, the contract says {low} to {high}"
    if promised.values is not None:
        yield from _unseen(name, found, promised.values)


def _unseen(name: str, found: Seen, values: contracts.Values) -> Iterator[str]:
    if found.counts is None:
        yield f"{name!r} holds far more values than the {len(values)} of the contract"
        return
    new = {value: count for value, count in found.counts.items() if value not in values}
    if new:
        shown = ", ".join(f"{value!r} ({count} rows)" for value, count in list(new.items())[:5])
        more = f" and {len(new) - 5} more" if len(new) > 5 else ""
        yield f"{name!r} holds {shown}{more}, which the contract's vocabulary lacks"


def _end(end: float | None) -> str:
    return "anything" if end is None else f"{end:.15g}"


def _unserved(column: str, kind: str, contract: Contract, name: str) -> str:
    """Why the contract does not promise what the model asks for, or ""."""
    promised = contract.columns.get(column)
    if promised is None:
        return f"{name} asks for column {column!r}, which the contract lacks: {did_you_mean(column, contract.columns)}"
    if kind and kind not in _SERVES.get(promised.kind, (promised.kind,)):
        return f"{name} asks for {column!r} as {kind}, the contract says {promised.kind}"
    return ""


def _signature(file: Path, name: str) -> Mapping[str, str]:
    """Required input column -> kind ("" for one that a contract has no word for); empty without named inputs."""
    import yaml

    try:
        described: Any = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
        signature = described.get("signature") or {}
        columns = json.loads(signature.get("inputs") or "[]")
        named = [column for column in columns if column.get("name") and column.get("required", True)]
        return {str(column["name"]): _SIGNATURE.get(str(column.get("type")), "") for column in named}
    except (OSError, ValueError, AttributeError, TypeError, yaml.YAMLError) as problem:
        first = str(problem).splitlines()[0]
        raise CouldNotEvaluate(f"the signature of {name} in {file} cannot be read: {first}") from None
