"""The ledger as a page: every decision, newest first, and who was champion after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_mlgates.report.forest import Mark, Plot, plot
from pytest_mlgates.report.plaintext import clipped
from pytest_mlgates.report.rendering import rendered
from pytest_mlgates.report.signs import SIGN, tone
from pytest_mlgates.verdict import Verdict

#: What an entry's kind says of the version it names; the others (a drill, a repair) say nothing of one.
_SAID = {
    "genesis": Verdict.PASS,
    "promote": Verdict.PASS,
    "adopt": Verdict.INCONCLUSIVE,
    "override": Verdict.INCONCLUSIVE,
    "hold": Verdict.FAIL,
    "rollback": Verdict.FAIL,
}


@dataclass(frozen=True, slots=True)
class Decided:
    """One entry in words."""

    what: str
    when: str
    fate: str
    reason: str
    by: str
    sign: str
    tone: str


@dataclass(frozen=True, slots=True)
class Chronicle:
    """The page."""

    title: str
    model: str
    why: str
    shown: str
    plot: Plot
    decisions: Sequence[Decided]


def chronicle(told: Mapping[str, Any], model: str, last: int) -> str:
    """The last `last` entries of `told` (what ``mlgates history --json`` says) as HTML. Raises KeyError."""
    entries = list(_entries(told))
    newest = entries[::-1][:last]
    marks = [_mark(entry, champion) for entry, champion in newest]
    shown = f"The last {len(newest)} of {len(entries)} entries." if len(newest) < len(entries) else ""
    seen = Chronicle(
        title=f"Decisions on {clipped(model)}",
        model=clipped(model),
        why=f"v{clipped(told['champion'])} is champion." if told["champion"] else "There is no champion.",
        shown=shown,
        plot=plot("version judged, and the champion after it", marks, beside="champion", note=_note(told), whole=True),
        decisions=[_words(entry) for entry, _ in newest],
    )
    return rendered("history.html.jinja", v=seen)


def _entries(told: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Each readable entry with the champion after it."""
    changes = {reign["entry"]: reign["version"] for reign in told["reigns"]}
    champion = ""
    for entry in told["entries"]:
        champion = changes.get(entry["number"], champion)
        if "kind" in entry:
            yield entry, champion


def _verdict(entry: Mapping[str, Any]) -> Verdict | None:
    if entry["fate"] in ("broken", "stale"):
        return Verdict.ERROR
    return _SAID.get(entry["kind"])


def _mark(entry: Mapping[str, Any], champion: str) -> Mark:
    # A rollback is about the version it left.
    about = entry["from"] if entry["kind"] == "rollback" else entry["to"]
    return Mark(
        f"{_when(entry)}  {_what(entry)}",
        clipped(entry["actor"], 60),
        _number(about),
        beside=_number(champion),
        verdict=_verdict(entry),
        word=_fate(entry),
    )


def _words(entry: Mapping[str, Any]) -> Decided:
    verdict = _verdict(entry)
    why = f"; {entry['why']}" if entry["why"] else ""
    waived = f", with {', '.join(entry['waivers'])} waived" if entry["waivers"] else ""
    evidence = f", evidence {entry['evidence'][:16]}" if entry["evidence"] else ""
    return Decided(
        what=_what(entry),
        when=_when(entry),
        fate=_fate(entry),
        reason=clipped(entry["reason"], 600),
        by=clipped(f"entry {entry['number']} by {entry['actor']}{evidence}{waived}{why}", 600),
        sign=SIGN[verdict] if verdict is not None else "·",
        tone=tone(verdict),
    )


def _what(entry: Mapping[str, Any]) -> str:
    kind, to, left = entry["kind"], entry["to"], entry["from"]
    if kind == "rollback":
        return f"rollback from v{clipped(left)} to v{clipped(to)}"
    return f"{clipped(kind)} v{clipped(to)}" if to else clipped(kind)


def _fate(entry: Mapping[str, Any]) -> str:
    return {"counts": "counts", "noted": "noted"}.get(entry["fate"], f"does not count ({clipped(entry['fate'])})")


def _when(entry: Mapping[str, Any]) -> str:
    return clipped(entry["time"])[:16].replace("T", " ")


def _number(version: str) -> float | None:
    return float(version) if version.isascii() and version.isdecimal() else None


def _note(told: Mapping[str, Any]) -> str:
    return clipped("; ".join(f"entry {number}: {text}" for number, text in told["problems"].items()), 600)
