"""The table of gates and the decision line, as plain lines of text."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence

from pytest_mlgates.decision import Action, Decision, GateOutcome
from pytest_mlgates.report.limits import SHOWN_ONLY
from pytest_mlgates.report.plaintext import clipped
from pytest_mlgates.report.reasons import NOT_RUN, together
from pytest_mlgates.verdict import Judgement, Verdict
from pytest_mlgates.wording import interval
from pytest_mlgates.wording import shown as written

#: Characters of one sentence on the terminal; the evidence file has the rest.
LONGEST_LINE = 1500
#: Runbooks named after a decision.
MOST_LINKS = 4
#: Ways to flip a decision that are named; the evidence has all.
MOST_FLIPS = 5
#: Characters that the column of what was measured has at least.
LEAST = 24
HEAD = ("gate", "measured", "interval", "limit", "n", "verdict")


def table(outcomes: Iterable[GateOutcome], waived: Mapping[str, str], width: int) -> list[tuple[str, Verdict | None]]:
    """The gates as lines of text, each with its verdict for colouring (None: no colour).

    One aligned row a judgement where that fits in `width`; what is measured may have a line of its own above the rest.
    On narrow screens one line for the gate and one for its figures, because a figure that is cut off would lie.
    """
    rows: list[tuple[tuple[str, ...], Verdict]] = []
    for outcome in outcomes:
        rows += [
            (tuple(clipped(cell) for cell in row), outcome.verdict) for row in _rows(outcome, outcome.name in waived)
        ]
    cells = [HEAD, *(row for row, _ in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEAD))]
    room = width - 2 * (len(HEAD) - 1) - (sum(widths) - widths[1])
    if room < min(LEAST, widths[1]):
        return [pair for row, verdict in rows for pair in _stacked(row, verdict)]
    widths[1] = min(widths[1], room)
    return [(_line(HEAD, widths), None), *((line, verdict) for row, verdict in rows for line in _fitted(row, widths))]


def shown(outcomes: Iterable[GateOutcome], verbosity: int) -> list[GateOutcome]:
    """The gates that the table holds: all of them, quietly those that did not pass, very quietly none."""
    if verbosity < -1:
        return []
    return [one for one in outcomes if verbosity >= 0 or one.verdict is not Verdict.PASS]


def findings(outcomes: Iterable[GateOutcome]) -> list[str]:
    """For those who want to know more: seconds a gate, and every sentence of one that did not pass."""
    lines = []
    for outcome in outcomes:
        lines.append(
            f"{outcome.name}: {outcome.verdict}, {outcome.seconds:.1f} s{f', {outcome.at}' * bool(outcome.at)}"
        )
        said = [outcome.trouble] if outcome.trouble else []
        said += [one.finding.sentence for one in outcome.judgements if one.verdict is not Verdict.PASS]
        lines += [f"    {clipped(sentence, LONGEST_LINE)}" for sentence in said]
    return lines


def decision_lines(
    decision: Decision,
    challenger: str,
    *,
    applied: bool,
    waived: Mapping[str, str],
    expired: Sequence[str] = (),
    todo: str = "",
    unasked: Sequence[str],
    width: int,
) -> list[str]:
    """The decision in plain words, why, and what would flip it."""
    first, *further = together(decision.reasons)
    lines = [_headline(decision, challenger, applied) + first]
    lines += [f"  also: {reason}" for reason in further]
    more = [f"{len(decision.flips) - MOST_FLIPS} more, in the report"] if len(decision.flips) > MOST_FLIPS else []
    lines += [f"  would flip it: {flip}" for flip in [*decision.flips[:MOST_FLIPS], *more]]
    lines += [f"  what to do: {todo}"] if todo else []
    lines += [f"  waived: {name} ({reason})" for name, reason in waived.items()]
    lines += [f"  the waiver of {name} has expired, so it counts again" for name in expired]
    if unasked:
        lines.append(f"  not asked for: {', '.join(unasked)}")
    return [part for line in lines for part in _wrapped(_tidy(line), width)]


def todo(outcomes: Iterable[GateOutcome], waived: Collection[str], runbooks: Mapping[str, str]) -> str:
    """Where it is written what to do about the gates that hold, the worst first; "" where nothing is.

    Of one that waits for another nothing: the other has the runbook.
    """
    held = [one for one in outcomes if one.verdict is not Verdict.PASS and one.name not in waived]
    held.sort(key=lambda one: -one.verdict)
    links = [runbooks[one.name] for one in held if one.name in runbooks and not one.trouble.startswith(NOT_RUN)]
    more = [f"and {len(links) - MOST_LINKS} more"] if len(links) > MOST_LINKS else []
    return ", ".join([*links[:MOST_LINKS], *more])


def timeline(outcomes: Iterable[GateOutcome]) -> list[str]:
    """What happened when, of gates that tell it (a drill does)."""
    told = [j.evidence.details.get("timeline") for outcome in outcomes for j in outcome.judgements]
    return [f"  {line}" for lines in told if isinstance(lines, list) for line in lines]


def to_paste(outcomes: Iterable[GateOutcome]) -> list[str]:
    """Counter-examples as tests that a person can paste, of gates that found some."""
    told = [j.evidence.details.get("test") for outcome in outcomes for j in outcome.judgements]
    return [line for test in told if isinstance(test, str) for line in (*test.splitlines(), "")]


def _headline(decision: Decision, challenger: str, applied: bool) -> str:
    if decision.action is Action.NOTHING:
        return ""
    if decision.action in (Action.PROMOTE, Action.ROLLBACK) and not applied:
        return f"WOULD {decision.action} {challenger} (add --mlgate-apply to do it): "
    return f"{decision.action} {challenger}: "


def _rows(outcome: GateOutcome, waived: bool) -> list[tuple[str, ...]]:
    note = " (waived)" if waived else ""
    if not outcome.judgements or outcome.trouble:
        return [(outcome.name, "-", "-", "-", "-", f"{outcome.verdict}{note}")]
    return [_row(outcome.name, judgement, note) for judgement in outcome.judgements]


def _row(name: str, judgement: Judgement, note: str) -> tuple[str, ...]:
    evidence = judgement.evidence
    value = "-" if evidence.value is None else written(evidence, evidence.value)
    rows = f"{evidence.n:,}" if evidence.n else "-"
    judged = judgement.verdict is not Verdict.PASS or judgement.finding.limit not in SHOWN_ONLY
    verdict = f"{judgement.verdict}{note}" if judged else "-"
    return name, f"{evidence.title} {value}", interval(evidence) or "-", judgement.finding.limit, rows, verdict


def _fitted(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    name, measured, *rest = row
    if len(measured) <= widths[1]:
        return [_line(row, widths)]
    return [f"{name.ljust(widths[0])}  {measured}", _line(("", "", *rest), widths)]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _stacked(row: Sequence[str], verdict: Verdict) -> list[tuple[str, Verdict | None]]:
    name, measured, between, limit, n, said = row
    # A figure that cannot be had still says of what, and of whom.
    figures = [measured.removesuffix(" -"), between, f"limit {limit}", f"n {n}"]
    below = "  ".join(part for part in figures if not part.endswith("-"))
    return [(f"{said:12} {name}", verdict), *([(f"    {below}", None)] if below else [])]


def _tidy(line: str) -> str:
    """`line` with its indentation, and no name in it that fills the screen."""
    return " " * (len(line) - len(line.lstrip(" "))) + clipped(line, LONGEST_LINE)


def _wrapped(line: str, width: int) -> list[str]:
    # A path or a command that is broken in two cannot be pasted.
    lines = textwrap.wrap(
        line, max(40, width), subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
    return lines or [""]
