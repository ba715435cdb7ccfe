"""The evidence document as what a page shows: sentences, facts and pictures, all text made visible and short."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_mlgates.evidence import from_plain
from pytest_mlgates.report.attempts import tried
from pytest_mlgates.report.facts import command, facts, tables, version
from pytest_mlgates.report.figures import Figure, figures
from pytest_mlgates.report.forest import Plot, judged
from pytest_mlgates.report.parts import HARMED, parts
from pytest_mlgates.report.plaintext import clipped
from pytest_mlgates.report.reasons import together
from pytest_mlgates.report.signs import SIGN, tone
from pytest_mlgates.verdict import Finding, Judgement, Verdict
from pytest_mlgates.wording import figure

_SENTENCE = 600
#: Reasons and ways out that are shown before they are folded away.
FIRST = 2


@dataclass(frozen=True, slots=True)
class Card:
    """One gate."""

    name: str
    anchor: str
    verdict: str
    sign: str
    tone: str
    stage: str
    seconds: str
    waived: str
    sentence: str
    #: (address or command, whether it is an address)
    runbook: tuple[str, bool] | None
    further: Sequence[str]
    power: str
    plots: Sequence[Plot]
    figures: Sequence[Figure]


@dataclass(frozen=True, slots=True)
class View:
    """The page: the first screen, the cards worst first, and what else the run rests on."""

    title: str
    action: str
    sign: str
    tone: str
    why: str
    also: Sequence[str]
    flips: Sequence[str]
    done: str
    facts: Sequence[tuple[str, str]]
    counts: Sequence[tuple[str, str, str]]
    cards: Sequence[Card]
    waivers: Sequence[tuple[str, str]]
    override: str
    tables: Sequence[tuple[str, Sequence[tuple[str, str]]]]
    sections: Sequence[tuple[str, Sequence[tuple[str, str]]]]
    command: str
    unasked: str = field(default="")


def view(document: Mapping[str, Any]) -> View:
    """Raises KeyError or TypeError for data that is no evidence document."""
    decision = document["decision"]
    verdict = Verdict[decision["verdict"]]
    subject = document.get("challenger") or document.get("champion")
    name = version(subject) or clipped(document["settings"]["model"])
    cards = [_card(gate, document) for gate in sorted(document["gates"], key=lambda gate: _order(gate, document))]
    reasons = [clipped(reason, _SENTENCE) for reason in together(decision["reasons"])]
    return View(
        title=f"{_headline(document)} {name}",
        action=_headline(document),
        sign=SIGN[verdict],
        tone=tone(verdict),
        why=reasons[0] if reasons else "",
        also=reasons[1:],
        flips=[clipped(flip, _SENTENCE) for flip in decision["flips"]],
        done=_done(document),
        facts=facts(document),
        counts=[
            (v.name.lower(), SIGN[v], f"{n} {v.name}{waived}")
            for v in reversed(Verdict)
            if (n := sum(card.verdict == v.name for card in cards))
            for waived in [_waived(sum(card.verdict == v.name and bool(card.waived) for card in cards))]
        ],
        cards=cards,
        waivers=[(clipped(gate), clipped(why, _SENTENCE)) for gate, why in sorted(document["waived"].items())],
        override=clipped(document.get("override", ""), _SENTENCE),
        tables=tables(document),
        sections=[*tried(document), *map(_section, document.get("sections", []))],
        command=command(document),
        unasked=", ".join(clipped(gate, 60) for gate in document["not_asked_for"]),
    )


def judgements(gate: Mapping[str, Any]) -> list[Judgement]:
    """A gate's judgements as they were made. Raises KeyError or TypeError."""
    return [
        Judgement(from_plain(one["evidence"]), Finding(Verdict[one["verdict"]], one["sentence"], one["limit"]))
        for one in gate["judgements"]
    ]


def _section(added: Mapping[str, Any]) -> tuple[str, list[tuple[str, str]]]:
    return clipped(added["title"]), [(clipped(name), clipped(words, _SENTENCE)) for name, words in added["rows"]]


def _order(gate: Mapping[str, Any], document: Mapping[str, Any]) -> tuple[int, bool, int]:
    """Worst first; of equals those that count before those that are waived, then as the decision names them, then as
    they were asked for.
    """
    asked, name = document["required"], gate["name"]
    said = [place for place, reason in enumerate(document["decision"]["reasons"]) if reason.startswith(f"{name}: ")]
    place = said[0] - len(document["decision"]["reasons"]) if said else len(asked)
    if not said and name in asked:
        place = asked.index(name)
    return -Verdict[gate["verdict"]], name in document["waived"], place


def _headline(document: Mapping[str, Any]) -> str:
    action = document["decision"]["action"]
    undone = action in ("PROMOTE", "ROLLBACK") and not (document.get("action") or {}).get("done")
    return f"WOULD {action}" if undone else clipped(action)


def _done(document: Mapping[str, Any]) -> str:
    action = document.get("action")
    if action is None:
        return "Not recorded." if document["phase"] == "drill" else "Judged only: nothing was changed."
    said = [str(action[key]) for key in ("sentence", "trouble") if action.get(key)]
    return clipped("; ".join(said), _SENTENCE)


def _card(gate: Mapping[str, Any], document: Mapping[str, Any]) -> Card:
    verdict, held = Verdict[gate["verdict"]], judgements(gate)
    thresholds = {role: float(one["value"]) for role, one in document.get("thresholds", {}).items()}
    seconds = document.get("measured_times", {}).get("gates_s", {}).get(gate["name"])
    further_plots = parts(held)
    # A slice that is harmed is judged by itself too, and is not shown twice.
    pictured = {line.mark.label for one in further_plots for line in one.lines if line.mark.word == HARMED}
    own = [one for one in judged(held) if not all(line.mark.label in pictured for line in one.lines)]
    sentences = [] if gate["trouble"] else [j.finding.sentence for j in held if j.verdict is not Verdict.PASS][1:]
    return Card(
        name=clipped(gate["name"]),
        anchor="gate-" + "".join(char if char.isascii() and char.isalnum() else "-" for char in gate["name"])[:60],
        verdict=verdict.name,
        sign=SIGN[verdict],
        tone=tone(verdict),
        stage=clipped(gate["stage"]),
        seconds=f"{seconds:.1f} s" if isinstance(seconds, (int, float)) else "",
        waived=clipped(document["waived"].get(gate["name"], ""), _SENTENCE),
        sentence=clipped(gate["sentence"], _SENTENCE),
        runbook=_runbook(gate, document) if verdict is not Verdict.PASS else None,
        further=[clipped(sentence, _SENTENCE) for sentence in sentences],
        power=_power(held),
        plots=[*own, *further_plots],
        figures=figures(held, thresholds),
    )


def _runbook(gate: Mapping[str, Any], document: Mapping[str, Any]) -> tuple[str, bool] | None:
    """What to do about the gate is written there. Only an address of the web is one to follow."""
    link = document.get("runbooks", {}).get(gate["name"], "")
    whole = clipped(link) == link and re.fullmatch(r"https?://[^\s<>\"']+", link) is not None
    return (clipped(link), whole) if link else None


def _waived(count: int) -> str:
    return f", {count} of them waived" if count else ""


def _power(held: Sequence[Judgement]) -> str:
    """What these rows can resolve, said once a gate."""
    for one in held:
        details = one.evidence.details
        if details.get("rows_needed") and isinstance(details.get("resolvable_margin"), float):
            margin = details.get("margin")
            asked = f" to resolve the margin of {figure(margin)}" if isinstance(margin, float) else ""
            return (
                f"Power: these {one.evidence.n:,} rows resolve a margin of {figure(details['resolvable_margin'])} "
                f"(80 % of the time); {details['rows_needed']} rows would be needed{asked}."
            )
    return ""
