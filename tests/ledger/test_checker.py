"""The checker finds what it is there to find."""

from __future__ import annotations

from dataclasses import replace

import pytest

from .checker import Said, violations


def row(operation: str, kind: str, from_: str, to: str, after: int) -> dict[str, str]:
    return {
        f"mlgates.{k}": v
        for k, v in zip(
            ("operation", "kind", "from", "to", "after"), (operation, kind, from_, to, str(after)), strict=True
        )
    }


ROWS = {
    1: row("g", "genesis", "", "1", 0),
    2: row("a", "promote", "1", "2", 1),
    3: row("b", "promote", "1", "3", 1),
    4: row("h", "hold", "2", "9", 2),
    5: row("c", "rollback", "2", "1", 2),
}
A, B, C = (
    Said("a", "1", "2", "done", 10, 20),
    Said("b", "1", "3", "moved", 12, 25),
    Said("c", "2", "1", "done", 30, 40),
)
GOOD = [A, B, C]


def test_a_good_history_has_no_violation() -> None:
    assert violations(GOOD, ROWS, "1") == []


def test_an_unknown_operation_may_have_happened_or_not() -> None:
    assert violations([A, B, replace(C, outcome="unknown")], ROWS, "1") == []
    assert violations([A, replace(B, outcome="unknown"), C], ROWS, "1") == []


@pytest.mark.parametrize(
    ("said", "rows", "final", "found"),
    [
        (GOOD, ROWS, "2", "the reference means v2"),
        ([A, replace(B, outcome="done"), C], ROWS, "1", "entry 3 was acknowledged, .* lost update"),
        ([replace(A, outcome="moved"), B, C], ROWS, "1", "entry 2 was refused to its client, but it took effect"),
        ([replace(A, judged_against="7"), B, C], ROWS, "1", "its client judged v7"),
        ([A, B], ROWS, "2", "entry 5 is nobody's"),
        (GOOD, {n: r for n, r in ROWS.items() if n != 5}, "2", "operation c was acknowledged, but is in no entry"),
        ([replace(A, started=50, ended=60), B, C], ROWS, "1", "entry 5 comes after one that began when it had ended"),
        ([replace(A, started=26), B, replace(C, started=27)], ROWS, "1", "b was refused, but nobody had changed"),
        (GOOD, {**ROWS, 5: row("c", "rollback", "2", "1", 1)}, "2", "entry 5 was acknowledged"),
    ],
)
def test_each_kind_of_damage_is_found(
    said: list[Said], rows: dict[int, dict[str, str]], final: str, found: str
) -> None:
    import re

    wrong = violations(said, rows, final)
    assert any(re.search(found, sentence) for sentence in wrong), wrong


def test_bare_alias_writes_are_found() -> None:
    """What a registry without a ledger does: two gates both judged against v1, both believed they replaced it."""
    rows = {1: ROWS[1], 2: row("a", "promote", "1", "2", 1), 3: row("b", "promote", "1", "3", 1)}
    both = [A, replace(B, outcome="done")]
    assert any("lost update" in sentence for sentence in violations(both, rows, "3"))
