"""Views of one log."""

from __future__ import annotations

import json

from pytest_mlgates.ledger import Entry, Kind, Record, history, replay


def entry(kind: str, **more: object) -> Entry:
    return Entry(Kind(kind), more.pop("actor", "ann"), reason=more.pop("reason", "why"), **more)  # type: ignore[arg-type]


RECORDS = [
    Record(1, entry("genesis", to="1", time="t1")),
    Record(2, entry("hold", from_="1", to="2", after=1, golden="g1", to_digest="d2", time="t2")),
    Record(
        3,
        entry(
            "promote",
            from_="1",
            to="3",
            after=1,
            golden="g1",
            to_digest="d3",
            run="r3",
            evidence="e3",
            time="t3",
            waivers=("latency",),
        ),
        projected="p",
    ),
    Record(4, entry("promote", from_="1", to="4", after=1, golden="g1", to_digest="d4", waivers=("skew",))),
    Record(5, entry("judged", from_="3", to="5", after=3, golden="g1", to_digest="d3")),
    Record(6, entry("drill", reason="took 74 s", time="t6")),
    Record(7, entry("override", from_="3", to="6", after=3, reason="fire", actor="bob", time="t7"), projected="p"),
    Record(8, entry("drill", reason="failed", time="t8")),
    Record(9, entry("judged", from_="6", to="7", after=7, golden="g2")),
]
STATE = replay(RECORDS)


def test_who_was_champion_when_why_and_on_which_evidence() -> None:
    told = [(r.version, r.since, r.until, r.entry, r.kind, r.actor, r.reason, r.served) for r in history.reigns(STATE)]
    assert told == [
        ("1", "t1", "t3", 1, "genesis", "ann", "why", True),
        ("3", "t3", "t7", 3, "promote", "ann", "why", True),
        ("6", "t7", "", 7, "override", "bob", "fire", True),
    ]
    second = history.reigns(STATE)[1]
    assert (second.run, second.evidence, second.golden, second.waivers) == ("r3", "e3", "g1", ("latency",))


def test_a_model_without_champion_has_no_first_reign() -> None:
    assert history.reigns(replay([Record(1, entry("genesis"))])) == ()


def test_the_budget_counts_distinct_challengers_also_those_that_lost_the_race() -> None:
    """v5 has the files of v3: judged twice, one challenger. v4's promotion came too late, but it was judged."""
    assert history.judged_on(STATE, "g1") == ("v2", "v5", "v4")
    assert history.judged_on(STATE, "g2") == ("v7",)
    assert history.judged_on(STATE, "g3") == ()


def test_only_promotions_that_counted_used_their_waivers() -> None:
    assert [(use.gate, use.version, use.entry) for use in history.waiver_uses(STATE)] == [("latency", "3", 3)]


def test_the_last_drill_is_the_last_one() -> None:
    drill = history.last_drill(STATE)
    assert drill is not None
    assert (drill.time, drill.reason) == ("t8", "failed")
    assert history.last_drill(replay(RECORDS[:3])) is None


def test_an_override_is_shown_until_a_normal_promotion() -> None:
    shown = history.overridden(STATE)
    assert shown is not None
    assert (shown.actor, shown.reason) == ("bob", "fire")
    promoted = Record(10, entry("promote", from_="6", to="7", after=7), projected="p")
    assert history.overridden(replay([*RECORDS, promoted])) is None
    back = Record(11, entry("rollback", from_="7", to="6", after=10), projected="p")
    assert history.overridden(replay([*RECORDS, promoted, back])) == shown
    again = Record(11, entry("promote", from_="7", to="6", after=10), projected="p")
    assert history.overridden(replay([*RECORDS, promoted, again])) is None
    straight = Record(10, entry("rollback", from_="6", to="3", after=7), projected="p")
    assert history.overridden(replay([*RECORDS, straight])) is None


def test_json_says_also_what_did_not_count_and_why() -> None:
    damaged = replay([*RECORDS, Record(11, None, "was altered")])
    told = json.loads(json.dumps(history.as_json(damaged)))
    assert told["champion"] == "6"
    assert told["problems"] == {"10": "entry 10 is missing: it was deleted", "11": "entry 11 was altered"}
    late = told["entries"][3]
    assert (late["number"], late["kind"], late["from"], late["to"], late["fate"]) == (4, "promote", "1", "4", "stale")
    assert late["why"] == "judged after entry 1, but entry 3 changed the champion meanwhile"
    assert told["entries"][-1]["fate"] == "broken"
