"""What a run judged and rests on, as pairs of words: models, golden set, budget, environment, settings, command."""

from __future__ import annotations

import datetime
import shlex
from collections.abc import Mapping
from typing import Any

from pytest_mlgates.report.plaintext import clipped


def facts(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the first screen says of the run: who against whom, on which rows, by whom, when."""
    golden, times, ran = document.get("golden_set") or {}, document.get("measured_times", {}), document.get("ran", {})
    at = times.get("finished_at")
    when = datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%d %H:%M UTC") if at else ""
    rows = max(
        (
            one["evidence"]["n"]
            for gate in document["gates"]
            for one in gate["judgements"]
            if gate["name"] == "golden_integrity"
        ),
        default=0,
    )
    champion = document.get("champion")
    said = {
        "Challenger": _named(document.get("challenger")),
        "Champion": _named(champion) or "none yet",
        "Golden set": f"{clipped(golden['file'])}, {f'{rows:,} rows, ' if rows else ''}md5 {golden['md5'][:12]}"
        if golden
        else "",
        "Phase": clipped(document["phase"]),
        "Judged by": clipped(ran.get("by", "")),
        "When": when,
    }
    return [(key, value) for key, value in said.items() if value]


def tables(document: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """What the run rests on, a table a subject; what is empty is left out."""
    budget, golden = document.get("budget") or {}, document.get("golden_set") or {}
    spent, size = len(budget.get("spent", [])), budget.get("size")
    rests = {
        "registry": document.get("registry", ""),
        "challenger's files": (document.get("challenger") or {}).get("digest", ""),
        "champion's files": (document.get("champion") or {}).get("digest", ""),
        "first champion on this golden set": version(document.get("first_champion")),
        "golden set pinned by": golden.get("md5", ""),
        "at commit": golden.get("commit", ""),
        "pointer": golden.get("remark", ""),
        "budget of the golden set": f"{spent} of {size} challengers judged on it, {max(size - spent, 0)} left"
        + (" (enforced)" if budget.get("enforced") else "")
        if size
        else "",
        **{
            f"threshold of the {role}": f"{one['value']:g} ({one['from']})"
            for role, one in document.get("thresholds", {}).items()
        },
    }
    written = {
        key: f"{_setting(document, key)}  ({place})" for key, place in sorted(document.get("settings_from", {}).items())
    }
    tables = {
        "What it rests on": rests,
        "Environment": dict(sorted(document.get("environment", {}).items())),
        "Settings written": written,
    }
    shown = [
        (title, [(clipped(key), clipped(value, 300)) for key, value in rows.items() if value])
        for title, rows in tables.items()
    ]
    added = document.get("sections", ())
    return [(clipped(one["title"]), [(clipped(k), clipped(v, 300)) for k, v in one["rows"]]) for one in added] + shown


def _setting(document: Mapping[str, Any], key: str) -> str:
    value = document["settings"].get(key, "")
    if isinstance(value, Mapping):
        value = [f"{name} = {one}" for name, one in value.items()]
    return clipped(", ".join(map(str, value)) if isinstance(value, list) else value, 200)


def command(document: Mapping[str, Any]) -> str:
    """What judges the same versions again, by number and not by alias."""
    options = {"phase": document["phase"] if document["phase"] != "promotion" else ""}
    for role in ("champion", "challenger"):
        options[role] = ((document.get(role) or {}).get("version") or {}).get("number", "")
    words = [
        "pytest",
        "--mlgate",
        *(word for key, value in options.items() if value for word in (f"--mlgate-{key}", clipped(value))),
    ]
    return shlex.join(words)


def version(subject: Mapping[str, Any] | None) -> str:
    """ "credit v2" of a pinned model, "" of none."""
    return f"{clipped(subject['version']['model'])} v{clipped(subject['version']['number'])}" if subject else ""


def _named(subject: Mapping[str, Any] | None) -> str:
    if not subject:
        return ""
    run, reference = clipped(subject["version"].get("run_id", "")), clipped(subject.get("reference", ""))
    said = [reference] if reference not in ("", subject["version"]["number"]) else []
    said += [f"run {run[:12]}"] if run else []
    return f"{version(subject)} ({', '.join(said)})" if said else version(subject)
