"""Is a history linearizable? Written apart from the ledger's replay: it imports nothing of the package.

The promise, as a register: it holds (version, ticket); an operation that read (version, ticket) either replaces both
in one instant between its start and its end, or is told that somebody came first. The order of those instants is
the order of the entries' numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_CHANGES = {"promote", "rollback", "override", "adopt"}


@dataclass(frozen=True)
class Said:
    """What a client was told: `outcome` is done, moved (somebody came first) or unknown (killed, no answer)."""

    operation: str
    judged_against: str
    to: str
    outcome: str
    started: int
    ended: int


def violations(said: Iterable[Said], rows: Mapping[int, Mapping[str, str]], final: str) -> list[str]:
    """Every way in which what the clients were told and what the log holds do not fit one register."""
    clients = {client.operation: client for client in said}
    wrong: list[str] = []
    taken: list[tuple[int, Said]] = []
    version, ticket = rows[1].get("mlgates.to", ""), 1
    met: set[str] = set()
    for number in sorted(rows):
        row = rows[number]
        operation = row["mlgates.operation"]
        if row["mlgates.kind"] not in _CHANGES or operation in met:
            continue
        met.add(operation)
        client = clients.get(operation)
        if client is None:
            wrong.append(f"entry {number} is nobody's")
            continue
        fits = (row.get("mlgates.from", ""), int(row["mlgates.after"])) == (version, ticket)
        if client.outcome == "done" and not fits:
            wrong.append(f"entry {number} was acknowledged, but it was judged against another champion: lost update")
        if client.outcome == "moved" and fits:
            wrong.append(f"entry {number} was refused to its client, but it took effect")
        if client.outcome == "done" and client.judged_against != version:
            wrong.append(f"entry {number} replaced v{version}, but its client judged v{client.judged_against}")
        if fits:
            version, ticket = client.to, number
            taken.append((number, client))
    wrong += [
        f"operation {client.operation} was acknowledged, but is in no entry"
        for client in clients.values()
        if client.outcome == "done" and client.operation not in met
    ]
    wrong += _out_of_time(taken)
    wrong += _refused_for_nothing(clients.values(), taken)
    if final != version:
        wrong.append(f"the reference means v{final}, but the last operation that took effect made v{version} champion")
    return wrong


def _out_of_time(taken: list[tuple[int, Said]]) -> list[str]:
    """An operation that ended before another began must come before it."""
    latest_start, wrong = -1, []
    for number, client in taken:
        if client.outcome == "done" and client.ended < latest_start:
            wrong.append(f"entry {number} comes after one that began when it had ended")
        latest_start = max(latest_start, client.started)
    return wrong


def _refused_for_nothing(clients: Iterable[Said], taken: list[tuple[int, Said]]) -> list[str]:
    """Whoever was told that somebody came first: somebody must have begun before they were told."""
    began = sorted(client.started for _, client in taken)
    return [
        f"operation {client.operation} was refused, but nobody had changed anything"
        for client in clients
        if client.outcome == "moved" and not (began and began[0] < client.ended)
    ]
