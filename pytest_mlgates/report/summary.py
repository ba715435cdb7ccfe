"""summary.md: the decision and the gates in Markdown, for a step summary, a merge request's note, a mail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_mlgates.markdown import bullets, paragraph, table, text
from pytest_mlgates.report.plaintext import clipped
from pytest_mlgates.report.signs import SIGN
from pytest_mlgates.report.view import View, judgements, view
from pytest_mlgates.verdict import Judgement
from pytest_mlgates.wording import interval, shown

FILE = "summary.md"
#: Lines of the table and of each list; GitHub takes no summary above 1 MiB.
MOST, FEW = 100, 10
_HEAD = ("verdict", "gate", "measured", "interval", "limit", "n")


def summary(document: Mapping[str, Any]) -> str:
    """Raises KeyError or TypeError for data that is no evidence document."""
    seen = view(document)
    lines = [f"## {seen.sign} {_safe(seen.title)}", "", _safe(paragraph(seen.why), escaped=True)]
    lines += _list("Also", seen.also) + _list("What would flip it", seen.flips)
    lines += _todo(seen)
    if seen.override:
        lines += ["", f"**Override:** {_safe(seen.override)}"]
    lines += ["", _safe(seen.done), ""]
    rows = list(_rows(document, seen))
    lines += [_safe(line, escaped=True) for line in table(_HEAD, rows[:MOST])]
    if len(rows) > MOST:
        lines += ["", f"{len(rows) - MOST:,} more lines are in report.html."]
    if seen.waivers:
        lines += _list("Waived", [f"{gate}: {why}" for gate, why in seen.waivers])
    for title, held in seen.sections:
        lines += ["", f"**{_safe(title)}**", "", *(_safe(line, escaped=True) for line in table(("what", "said"), held))]
    lines += ["", "<details><summary>What it rests on</summary>", ""]
    lines += [_safe(line, escaped=True) for line in table(("what", "which"), seen.facts)]
    lines += ["", f"Judge the same versions again: `{seen.command.replace('`', ' ')}`", "", "</details>"]
    return "\n".join(lines) + "\n"


def _todo(seen: View) -> list[str]:
    """Where the runbooks of the gates are that did not pass."""
    known = [card for card in seen.cards if card.runbook and not card.waived]
    links = [f"- {_safe(card.name)}: `{card.runbook[0].replace('`', ' ')}`" for card in known if card.runbook]
    return ["", "**What to do**", "", *links[:FEW]] if links else []


def _list(title: str, sentences: Any) -> list[str]:
    if not sentences:
        return []
    more = [f"and {len(sentences) - FEW} more"] if len(sentences) > FEW else []
    return ["", f"**{title}**", "", *(_safe(line, escaped=True) for line in bullets([*sentences[:FEW], *more]))]


def _rows(document: Mapping[str, Any], seen: View) -> Iterator[tuple[str, ...]]:
    """A line a judgement, in the order of the page, the worst of a gate first."""
    gates = {clipped(gate["name"]): gate for gate in document["gates"]}
    for card in seen.cards:
        note = ", waived" if card.waived else ""
        held = judgements(gates[card.name])
        if gates[card.name]["trouble"] or not held:
            yield f"{card.sign} {card.verdict}{note}", card.name, card.sentence, "", "", ""
        for one in sorted(held, key=lambda judgement: -judgement.verdict):
            yield f"{SIGN[one.verdict]} {one.verdict}{note}", card.name, *_figures(one)


def _figures(one: Judgement) -> tuple[str, str, str, str]:
    found = one.evidence
    value = "" if found.value is None else shown(found, found.value)
    rows = f"{found.n:,}" if found.n else ""
    return f"{clipped(found.title)} {value}".strip(), interval(found), clipped(one.finding.limit), rows


def _safe(value: str, *, escaped: bool = False) -> str:
    """Text in which no address becomes a link and no name calls a person; the rest `markdown.text` has escaped."""
    shown_ = value if escaped else text(value)
    return shown_.replace("://", "&#58;//").replace("www.", "www&#46;").replace("@", "@\u2060")
