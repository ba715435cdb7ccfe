"""Two evidence documents side by side: what differs in decision, verdicts, measures, settings and environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pytest_mlgates.evidence import from_plain
from pytest_mlgates.wording import interval, shown

#: Where nothing is.
ABSENT = "-"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not the same: under which heading, what, before and after, as people read it."""

    section: str
    what: str
    before: str
    after: str

    def plain(self) -> dict[str, str]:
        return asdict(self)


def compared(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What differs, in the order of the sections. Raises KeyError or TypeError for data that is no evidence.

    Seconds, the time of writing and who ran it are no differences.
    """
    sections = {
        "decision": _decision,
        "judged": _judged,
        "verdicts": _verdicts,
        "measures": _measures,
        "settings": _settings,
        "environment": _environment,
    }
    return [change for section, read in sections.items() for change in _differences(section, read(before), read(after))]


def _differences(section: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for what in dict.fromkeys([*before, *after]):
        old, new = before.get(what, ABSENT), after.get(what, ABSENT)
        if old != new:
            yield Change(section, what, old, new)


def _decision(document: Mapping[str, Any]) -> dict[str, str]:
    decision = document["decision"]
    return {"action": decision["action"], "why": "; ".join(decision["reasons"]), "exit": str(decision["exit"])}


def _judged(document: Mapping[str, Any]) -> dict[str, str]:
    """Which models, on which rows."""
    found = {}
    for role in ("challenger", "champion", "first_champion"):
        one = document[role]
        if one:
            found[role] = f"{one['version']['model']} v{one['version']['number']} ({one['digest'][:12]})"
    golden = document["golden_set"]
    return found | ({"golden set": f"{golden['file']} md5 {golden['md5'][:12]}"} if golden else {})


def _verdicts(document: Mapping[str, Any]) -> dict[str, str]:
    waived = document["waived"]
    return {
        gate["name"]: f"{gate['verdict']}{' (waived)' if gate['name'] in waived else ''}" for gate in document["gates"]
    }


def _measures(document: Mapping[str, Any]) -> dict[str, str]:
    """Each judgement's figure with its interval, limit and rows; of two with one title the second is counted."""
    found: dict[str, str] = {}
    for gate in document["gates"]:
        for judgement in gate["judgements"]:
            one = from_plain(judgement["evidence"])
            title, number = f"{gate['name']}: {one.title}", 2
            while title in found:
                title, number = f"{gate['name']}: {one.title} ({number})", number + 1
            value = "not measured" if one.value is None else f"{shown(one, one.value)} {interval(one)}".strip()
            rows = f", n {one.n:,}" if one.n else ""
            found[title] = f"{value} {judgement['verdict']} (limit {judgement['limit']}{rows})"
    return found


def _environment(document: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in document["environment"].items()}


def _settings(document: Mapping[str, Any]) -> dict[str, str]:
    found = dict(_flat("", document["settings"]))
    return found | {f"required {name}": "yes" for name in document["required"]}


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, one in value.items():
            yield from _flat(f"{prefix}.{key}" if prefix else str(key), one)
    else:
        yield prefix, str(value)
