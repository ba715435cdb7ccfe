"""The table of gates and the decision line, as plain lines of text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence

from pytest_mlgates.decision import Action, Decision, GateOutcome
from pytest_mlgates.verdict import Judgement, Verdict
from pytest_mlgates.wording import interval, shown

HEAD = ("gate", "measured", "interval", "limit", "n", "verdict")


def table(outcomes: Iterable[GateOutcome], waived: Mapping[str, str], width: int) -> list[tuple[str, Verdict | None]]:
    """The gates as lines of text, each with its verdict for colouring (None: no colour).

    One aligned row a judgement where that fits in `width`; else one line for the gate and one for its figures,
    because a figure or a limit that is cut off would lie.
    """
    rows: list[tuple[tuple[str, ...], Verdict]] = []
    for outcome in outcomes:
        rows += [(row, outcome.verdict) for row in _rows(outcome, outcome.name in waived)]
    cells = [HEAD, *(row for row, _ in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEAD))]
    if sum(widths) + 2 * (len(HEAD) - 1) > width:
        return [pair for row, verdict in rows for pair in _stacked(row, verdict)]
    return [(_line(HEAD, widths), None), *((_line(row, widths), verdict) for row, verdict in rows)]


def decision_lines(
    decision: Decision,
    challenger: str,
    *,
    applied: bool,
    waived: Mapping[str, str],
    expired: Sequence[str] = (),
    unasked: Sequence[str],
    width: int,
) -> list[str]:
    """The decision in plain words, why, and what would flip it."""
    lines = [_headline(decision, challenger, applied) + decision.reasons[0]]
    lines += [f"  also: {reason}" for reason in decision.reasons[1:]]
    lines += [f"  would flip it: {flip}" for flip in decision.flips]
    lines += [f"  waived: {name} ({reason})" for name, reason in waived.items()]
    lines += [f"  the waiver of {name} has expired, so it counts again" for name in expired]
    if unasked:
        lines.append(f"  not asked for: {', '.join(unasked)}")
    return [part for line in lines for part in _wrapped(line, width)]


def timeline(outcomes: Iterable[GateOutcome]) -> list[str]:
    """What happened when, of gates that tell it (a drill does)."""
    told = [j.evidence.details.get("timeline") for outcome in outcomes for j in outcome.judgements]
    return [f"  {line}" for lines in told if isinstance(lines, list) for line in lines]


def _headline(decision: Decision, challenger: str, applied: bool) -> str:
    if decision.action is Action.NOTHING:
        return ""
    if decision.action is Action.PROMOTE and not applied:
        return f"WOULD PROMOTE {challenger} (add --mlgate-apply to do it): "
    return f"{decision.action} {challenger}: "


def _rows(outcome: GateOutcome, waived: bool) -> list[tuple[str, ...]]:
    note = " (waived)" if waived else ""
    if not outcome.judgements or outcome.trouble:
        return [(outcome.name, "-", "-", "-", "-", f"{outcome.verdict}{note}")]
    return [_row(outcome.name, judgement, note) for judgement in outcome.judgements]


def _row(name: str, judgement: Judgement, note: str) -> tuple[str, ...]:
    evidence = judgement.evidence
    value = "-" if evidence.value is None else shown(evidence, evidence.value)
    rows = f"{evidence.n:,}" if evidence.n else "-"
    verdict = f"{judgement.verdict}{note}"
    return name, f"{evidence.title} {value}", interval(evidence) or "-", judgement.finding.limit, rows, verdict


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _stacked(row: Sequence[str], verdict: Verdict) -> list[tuple[str, Verdict | None]]:
    name, measured, between, limit, n, said = row
    # A figure that cannot be had still says of what, and of whom.
    figures = [measured.removesuffix(" -"), between, f"limit {limit}", f"n {n}"]
    below = "  ".join(part for part in figures if not part.endswith("-"))
    return [(f"{said:12} {name}", verdict), *([(f"    {below}", None)] if below else [])]


def _wrapped(line: str, width: int) -> list[str]:
    # A path or a command that is broken in two cannot be pasted.
    lines = textwrap.wrap(
        line, max(40, width), subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
    return lines or [""]
