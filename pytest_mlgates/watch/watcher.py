"""What a person on call reads of one look after the other: a line while all is well, and all that matters when not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pytest_mlgates.tiers import FAILED
from pytest_mlgates.watch.look import Look
from pytest_mlgates.wording import YES_NO, figure

#: What the child prints before it changes anything.
STARTS = "ROLLBACK STARTS"
_FIGURES = 4


@dataclass
class Watcher:
    """Remembers what was said last: the same trouble again takes one line, and its end is said."""

    said: str = ""
    trouble: str = ""
    unknown: bool = False
    looks: int = 0

    def lines(self, look: Look, at: str) -> list[str]:
        """What to print of `look`, taken at `at`."""
        self.looks += 1
        head = f"{at} {word(look)} {_champion(look.evidence)}".rstrip()
        took = f"({look.seconds:.1f} s)"
        if look.well:
            over = [f"{at} over: {self.trouble}"] if self.trouble else []
            self.said, self.trouble, self.unknown = "", "", False
            return [*over, f"{head}: {figures(look) or look.sentence} {took}"]
        again = f"{look.action} {_gates(look, verdicts=True)}"
        repeated, self.said = again == self.said and not self._urgent(look), again
        self.trouble = f"{word(look)} {_gates(look)}"
        if repeated:
            return [f"{head}: still so: {look.sentence} {took}"]
        return [
            f"{head}: {look.sentence} {took}",
            *(f"    {line}" for line in details(look)),
            *self._urgent_lines(look),
        ]

    def _urgent_lines(self, look: Look) -> list[str]:
        if not self._urgent(look):
            return []
        how = "failed or cannot be verified" if look.exit == 11 else "was begun, and nobody knows how it ended"
        return [f"P0 ({FAILED}): a rollback {how}: {look.sentence}"]

    def _urgent(self, look: Look) -> bool:
        """A rollback that failed, or whose end nobody saw."""
        self.unknown = look.exit == 11 or (not look.action and STARTS in look.output)
        return self.unknown


def word(look: Look) -> str:
    """One word for what the look came to."""
    if look.well:
        return "well"
    if look.acted:
        return "ROLLED BACK"
    if look.action == "KEEP":
        return "unproven"
    return look.action or "UNKNOWN"


def figures(look: Look) -> str:
    """The first figures of every gate, in one line."""
    found = [_figure(one["evidence"]) for _, judgements in _judgements(look) for one in judgements[:_FIGURES]]
    return "; ".join(filter(None, found))


def details(look: Look) -> Iterator[str]:
    """Every gate that did not pass with why, who is told, and the end of what went wrong where nothing was judged."""
    gates = (look.evidence or {}).get("gates", [])
    for gate in gates:
        if gate["verdict"] != "PASS":
            yield from _gate(gate)
    for reason in (look.evidence or {}).get("decision", {}).get("reasons", [])[1:]:
        if reason.startswith(("told: ", "not rolled back: ")):
            yield reason
    if look.evidence is None:
        yield from (line for line in look.output.splitlines()[-5:] if line.strip())


def _gate(gate: dict[str, Any]) -> Iterator[str]:
    """In one line what one line says; more figures one below the other."""
    many, since = len(gate["judgements"]) > 1 and not gate["trouble"], _since(gate)
    said = gate["trouble"] or gate["sentence"]
    yield f"{gate['name']} {gate['verdict']}{since}" + ("" if many else f": {said}")
    if many:
        yield from (f"  {one['verdict']:12} {one['sentence']}" for one in gate["judgements"])


def _since(gate: dict[str, Any]) -> str:
    """When its trouble began, where a figure that failed says so."""
    failed = [one["evidence"].get("details", {}) for one in gate["judgements"] if one["verdict"] == gate["verdict"]]
    began = [details["began"] for details in failed if isinstance(details.get("began"), str)]
    return f", since {min(began)}" if began else ""


def _figure(evidence: dict[str, Any]) -> str:
    value, where = evidence.get("value"), evidence.get("where")
    if not isinstance(value, (int, float)):
        return ""
    if evidence.get("unit") == YES_NO:
        return f"{evidence['measure']} {'yes' if value else 'no'}"
    many = f" of {evidence['n']:,}" if evidence.get("n") else ""
    return f"{evidence['measure']}{f' [{where}]' if where else ''} {figure(value)}{evidence.get('unit') or ''}{many}"


def _judgements(look: Look) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    for gate in (look.evidence or {}).get("gates", []):
        yield gate["name"], gate["judgements"]


def _gates(look: Look, *, verdicts: bool = False) -> str:
    """Those that did not pass: one that could not be judged has no judgement, and counts all the same."""
    gates = [gate for gate in (look.evidence or {}).get("gates", []) if gate["verdict"] != "PASS"]
    return ", ".join(f"{g['name']} {g['verdict']}" if verdicts else g["name"] for g in gates) or "no gate"


def _champion(evidence: dict[str, Any] | None) -> str:
    champion = (evidence or {}).get("champion")
    if not isinstance(champion, dict):
        return ""
    version = champion.get("version", {})
    return f"{version.get('model', '')} v{version.get('number', '?')}" if isinstance(version, dict) else ""
