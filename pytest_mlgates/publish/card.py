"""The model card: what a promotion's evidence and the version's own facts say, for people. Pure and deterministic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_mlgates.evidence import Evidence, from_plain
from pytest_mlgates.markdown import bullets, paragraph, table, text
from pytest_mlgates.origin.provenance import Provenance
from pytest_mlgates.wording import figure, interval, shown

#: What only people know, as the settings' table [tool.mlgates.card] has it: key -> the section it becomes.
WRITTEN = {"owner": "Owner", "intended_use": "Intended use", "limits": "Limits"}
_NOT_WRITTEN = "Not written."
_SLICE_HEAD = ("gate", "slice", "rows", "champion", "challenger", "gain", "interval", "harmed")


@dataclass(frozen=True, slots=True)
class Promotion:
    """Who made the version champion, when, and under which number of the ledger (0: not known)."""

    actor: str
    time: str
    entry: int = 0


def card(document: Mapping[str, Any], evidence: str, promotion: Promotion | None = None) -> str:
    """The card of the version that `document` (the plain data of evidence.json) judges, as Markdown.

    `evidence` is the digest under which that record is known; without `promotion` the card says that nobody
    has promoted it. Raises KeyError or TypeError for data that is no such record.
    """
    subject = document["challenger"] or document["champion"]
    version = subject["version"]
    said = Provenance.from_tags(version["tags"])
    sections = {
        "What it is": _facts(document, subject),
        "Promotion": _promotion(document, promotion),
        "Data": _data(document, said),
        "Lineage": table(("fact", "recorded"), said.tags().items()) if said.tags() else [_NOT_WRITTEN],
        "Gates": table(("gate", "measured", "interval", "limit", "n", "verdict"), _gates(document)),
        "Slices and groups": _slices(document),
        "Waivers": _waivers(document),
        **{
            title: [paragraph(document["settings"].get("card", {}).get(key, "")) or _NOT_WRITTEN]
            for key, title in WRITTEN.items()
        },
    }
    lines = [
        f"# Model card: {text(version['model'])} v{text(version['number'])}",
        "",
        f"Made from evidence {evidence}.",
    ]
    for title, body in sections.items():
        if body:
            lines += ["", f"## {title}", "", *body]
    return "\n".join(lines) + "\n"


def missing(written: Mapping[str, str], said: Provenance) -> list[str]:
    """What a card would lack: settings that nobody wrote, and tags that the version does not have."""
    unwritten = [f"[tool.mlgates.card] {key}" for key in WRITTEN if not written.get(key, "").strip()]
    return unwritten + [f"the tag {tag}" for tag in said.missing()]


def _facts(document: Mapping[str, Any], subject: Mapping[str, Any]) -> list[str]:
    settings, version = document["settings"], subject["version"]
    facts = {
        "task": settings["task"],
        "label": settings["label"],
        "registry": document["registry"],
        "run": version["run_id"],
        "source": version["source"],
        "files": f"SHA-256 {subject['digest']}",
        **{f"threshold of the {role}": f"{t['value']} ({t['from']})" for role, t in document["thresholds"].items()},
    }
    return table(("fact", "value"), facts.items())


def _promotion(document: Mapping[str, Any], promotion: Promotion | None) -> list[str]:
    champion = document["champion"] if document["challenger"] else None
    instead = (
        f"{champion['version']['model']} v{champion['version']['number']}"
        if champion
        else "nothing: the first champion"
    )
    decision = document["decision"]
    facts = {"replaced": instead, "decision": decision["action"], "because": "; ".join(decision["reasons"])}
    if promotion is None:
        return ["Nobody has promoted it.", "", *table(("fact", "value"), facts.items())]
    facts |= {"by": promotion.actor, "at": promotion.time}
    if promotion.entry:
        facts["ledger entry"] = str(promotion.entry)
    return table(("fact", "value"), facts.items())


def _data(document: Mapping[str, Any], said: Provenance) -> list[str]:
    golden = document["golden_set"] or {}
    rows = [("golden set", golden.get("file", ""), golden.get("md5", ""), golden.get("commit", ""))]
    rows.append(("training", said.data, said.data_md5, said.git_commit))
    remark = [f"The golden set's pointer: {text(golden['remark'])}."] if golden.get("remark") else []
    return [*table(("what", "file", "md5", "commit"), rows), *(["", *remark] if remark else [])]


def _gates(document: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for gate in document["gates"]:
        note = " (waived)" if gate["name"] in document["waived"] else ""
        if gate["trouble"] or not gate["judgements"]:
            yield gate["name"], "", "", "", "", f"{gate['verdict']}{note}: {gate['sentence']}"
        for judgement in gate["judgements"]:
            found = from_plain(judgement["evidence"])
            verdict = f"{judgement['verdict']}{note}"
            yield gate["name"], _measured(found), interval(found), judgement["limit"], f"{found.n:,}", verdict


def _measured(found: Evidence) -> str:
    return f"{found.title} {'-' if found.value is None else shown(found, found.value)}"


def _slices(document: Mapping[str, Any]) -> list[str]:
    """Every part of the golden set that a gate pictured in the details of its evidence."""
    rows = [
        (gate["name"], *_slice(part))
        for gate in document["gates"]
        for judgement in gate["judgements"]
        for part in judgement["evidence"]["details"].get("slices", ())
    ]
    return table(_SLICE_HEAD, rows) if rows else []


def _slice(part: Mapping[str, Any]) -> tuple[str, ...]:
    champion, challenger, gain, low, high = (
        _figure(part.get(k)) for k in ("champion", "challenger", "gain", "low", "high")
    )
    harmed = "yes" if part.get("harmed") else "no"
    return str(part["name"]), str(part.get("n", "")), champion, challenger, gain, f"[{low}, {high}]", harmed


def _figure(value: Any) -> str:
    """Numbers that JSON lacks are words already."""
    return figure(value) if isinstance(value, (int, float)) else str(value or "-")


def _waivers(document: Mapping[str, Any]) -> list[str]:
    waived = [f"{name}: {reason}" for name, reason in sorted(document["waived"].items())]
    unasked = ", ".join(document["not_asked_for"])
    return bullets([*(waived or ["none"]), *([f"not asked for: {unasked}"] if unasked else [])])
