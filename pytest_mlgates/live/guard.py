"""Why a champion that is proven bad is all the same not taken back by the machine: it has been, or just was."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Past:
    """What the ledger says of a champion: `since` it serves and `kind` of entry that made it champion, seconds since
    1970; when the last rollback was (None: never), and which entry rolled back from this very version before (0: none).
    """

    since: float | None = None
    kind: str = ""
    last_rollback: float | None = None
    rolled_back_before: int = 0


def forbids(past: Past, cool_down: float, now: float) -> str:
    """Why no rollback may follow without a person, or "".

    One that was rolled back from before and let in again by a person, and anything within `cool_down` seconds of a
    rollback, would be flapping: going back has not helped.
    """
    if past.rolled_back_before:
        return (
            f"ledger entry {past.rolled_back_before} rolled back from this version already, and a person let it serve "
            "again: a person decides now"
        )
    ago = now - past.last_rollback if past.last_rollback is not None else None
    if ago is not None and ago < cool_down:
        return (
            f"the last rollback was {max(0.0, ago) / 60:.0f} min ago and has not helped (cool-down is "
            f"{cool_down / 60:.0f} min): a person decides"
        )
    return ""
