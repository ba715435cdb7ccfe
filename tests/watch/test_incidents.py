"""What opens an incident, adds to it, closes it; its times, its file, its post-mortem."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.incident import (
    Event,
    Happened,
    Incident,
    Kind,
    Moment,
    State,
    by_hand,
    draft,
    follow,
    handover,
    incidents,
    line,
    read,
    stamped,
    timeline,
    times,
)
from pytest_mlgates.incident.journal import Journal
from pytest_mlgates.incident.times import overdue

START = 1_800_000_000.0


def at(seconds: float) -> str:
    return stamped(START + seconds)


def live(**changed: Any) -> Happened:
    """A look at v3 whose gate slo failed, and that rolled back; changed as said."""
    told = {
        "model": "churn",
        "phase": "live",
        "action": "ROLLBACK",
        "verdict": "FAIL",
        "exit": 1,
        "sentence": "slo: errors 0.071 > 0.02",
        "champion": "3",
        "failed": {"slo": "errors 0.071 > 0.02"},
        "done": True,
        "said": "'champion' is v2 again, instead of churn v3 (entry 5)",
    }
    return Happened(**{**told, **changed})


GREEN = live(
    action="KEEP", verdict="PASS", exit=0, failed={}, passed=frozenset({"slo"}), done=False, said="", champion="2"
)


def after(*runs: Happened) -> dict[int, Incident]:
    """The incidents after these runs, a minute apart."""
    events: list[Event] = []
    for number, run in enumerate(runs):
        events += follow(run, incidents(events), time=at(60 * number), actor="watch")
    return incidents(events)


def states(known: dict[int, Incident]) -> list[tuple[str, str, str]]:
    return [(i.key, i.severity, str(i.state)) for i in known.values()]


def test_a_rolled_back_champion_is_an_incident_until_the_gates_are_green_again() -> None:
    known = after(live(), GREEN)
    assert states(known) == [("live: churn v3", "SEV2", "closed")]
    told = [(event.kind, event.text) for event in known[1].events]
    assert told == [
        (Kind.OPENED, "live: slo: errors 0.071 > 0.02"),
        (Kind.FINDING, "errors 0.071 > 0.02"),
        (Kind.ACTION, "'champion' is v2 again, instead of churn v3 (entry 5)"),
        (Kind.CLOSED, "green again with v2 in service: slo passed"),
    ]
    assert times(known[1]).restore == 60


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (live(done=False), [("live: churn v3", "SEV1", "open")]),
        (live(action="PAGE", asked="SEV2", done=False), [("live: churn v3", "SEV2", "open")]),
        (live(action="REVIEW", asked="SEV4", done=False), [("live: churn v3", "SEV4", "open")]),
        (live(exit=11, done=False, said="ACTION FAILED: v2 does not load"), [("live: churn v3", "SEV1", "open")]),
        (
            live(phase="promotion", action="PROMOTE", verdict="PASS", exit=11, failed={}),
            [("action: promotion of churn v3", "SEV1", "open")],
        ),
        (live(phase="drill", action="DRILL FAILED", done=False), [("drill: churn", "SEV3", "open")]),
        (live(phase="promotion", action="HOLD", done=False), []),
        (live(action="KEEP", verdict="INCONCLUSIVE", exit=10, failed={}, done=False), []),
        (live(phase="drill", action="DRILL UNPROVEN", verdict="ERROR", exit=10, done=False), []),
    ],
)
def test_what_opens_an_incident(run: Happened, said: list[tuple[str, str, str]]) -> None:
    assert states(after(run)) == said


@pytest.mark.parametrize(
    "run",
    [
        live(action="KEEP", verdict="INCONCLUSIVE", exit=10, failed={}, passed=frozenset({"slo"}), done=False),
        live(action="KEEP", verdict="INCONCLUSIVE", exit=0, failed={}, passed=frozenset({"slo"}), done=False),
        live(action="KEEP", verdict="PASS", exit=10, failed={}, passed=frozenset({"slo"}), done=False),
        live(action="KEEP", verdict="PASS", exit=0, failed={}, passed=frozenset({"burn_rate"}), done=False),
        live(action="KEEP", verdict="PASS", exit=11, failed={}, passed=frozenset({"slo"}), done=False, phase="drill"),
        live(phase="promotion", action="PROMOTE", verdict="PASS", exit=0, failed={}, passed=frozenset({"slo"})),
        live(action="KEEP", verdict="PASS", exit=0, failed={}, passed=frozenset({"slo"}), model="other", done=False),
    ],
    ids=[
        "inconclusive",
        "inconclusive though it ended well",
        "ended badly though it passed",
        "that gate did not run",
        "another phase",
        "a promotion",
        "another model",
    ],
)
def test_what_is_not_green_closes_nothing(run: Happened) -> None:
    assert after(live(), run)[1].state is State.OPEN


def test_the_same_trouble_is_one_incident_and_grows_only_by_what_is_new() -> None:
    known = after(live(done=False), *[live(done=False, sentence=f"errors 0.0{n}") for n in range(7)])
    assert len(known) == 1
    assert len(known[1].events) == 2
    known = after(live(done=False), live(done=False, failed={"slo": "x", "canary": "wrong answers"}))
    assert known[1].gates == ("slo", "canary")
    known = after(live(), live(exit=11, done=False, said="ACTION FAILED: the registry is gone"))
    assert (len(known), known[1].severity) == (1, "SEV1")


def test_an_action_that_fails_every_thirty_seconds_does_not_fill_the_disk() -> None:
    runs = [live(exit=11, done=False, said=f"ACTION FAILED: try {number}") for number in range(500)]
    assert len(after(*runs)[1].events) <= 201


def test_a_rollback_that_was_proven_by_answers_is_restored_at_once() -> None:
    known = after(live(proven=True, began=at(-90)))
    assert times(known[1]).detect == 90
    assert times(known[1]).restore == 0
    assert known[1].state is State.OPEN, "it is closed when the gates are green"


def test_it_was_found_before_it_was_acted_on_however_long_that_took() -> None:
    """A workload takes its time to follow: detected is when the gates had spoken, restored when answers were proven."""
    known = after(live(began=at(-60), judged=at(-40), well=at(-70), proven=True))[1]
    assert (known.opened, known.restored) == (at(-40), at(0))
    found = times(known)
    assert (found.detect, found.restore, found.outage) == (20, 40, 60)
    told = [(moment.time, moment.what) for moment in timeline(known)]
    assert told[0] == (at(-70), "the look before this one found everything well")
    assert told[1] == (at(-60), "it began")
    assert told[2][1].startswith("opened: live: ") and told[3] == (at(-40), "finding: errors 0.071 > 0.02")


def test_a_persons_own_rollback_is_in_the_record_of_every_open_incident_about_that_version() -> None:
    known = after(live(action="PAGE", done=False, asked="SEV2"))
    told = by_hand(known, "churn", "3", "back to v2 by hand: wrong", proven=True, time=at(90), actor="ada")
    assert [(event.kind, event.text) for event in told] == [
        (Kind.ACTION, "back to v2 by hand: wrong"),
        (Kind.RESTORED, "the former version serves, proven by its answers"),
    ]
    unproven = by_hand(known, "churn", "3", "back", proven=False, time=at(90), actor="ada")
    assert [event.kind for event in unproven] == [Kind.ACTION], "an alias alone restores nothing that is proven"
    for model, left in (("other", "3"), ("churn", "2")):
        assert not by_hand(known, model, left, "back", proven=True, time=at(90), actor="ada")
    assert not by_hand(after(live(), GREEN), "churn", "3", "back", proven=True, time=at(90), actor="ada")


def test_times_that_are_not_known_or_contradict_each_other_are_no_figures() -> None:
    opened = Event(1, Kind.OPENED, at(0), "w", "x", model="churn", severity="SEV2", began=at(5))
    taken = Event(1, Kind.ACKNOWLEDGED, at(-3), "ada", "taken on")
    known = incidents([opened, taken])[1]
    assert times(known).detect is None
    assert times(known).acknowledge is None
    assert times(known).restore is None


def test_nobody_has_taken_it_on_in_time() -> None:
    known = incidents([Event(1, Kind.OPENED, at(0), "w", "x", severity="SEV1")])[1]
    assert not overdue(known, START + 300)
    assert overdue(known, START + 301)


def test_the_timeline_has_what_the_ledger_did_meanwhile_and_the_promotion_before() -> None:
    known = after(live(began=at(-30)), GREEN)[1]
    ledger = [
        Moment(at(-9000), "promote of v1", "ada", "ledger entry 1"),
        Moment(at(-400), "promote of v3", "ci", "ledger entry 4", "3"),
        Moment(at(-300), "hold of v4", "ci", "ledger entry 4"),
        Moment(at(1), "rollback of v2", "watch", "ledger entry 5"),
        Moment(at(900), "promote of v4", "ci", "ledger entry 6"),
    ]
    told = [moment.what for moment in timeline(known, ledger)]
    assert told[0] == "promote of v3"
    assert told[1:3] == ["hold of v4", "it began"]
    assert "rollback of v2" in told
    assert not {"promote of v1", "promote of v4"} & set(told)


def test_the_post_mortem_draft_is_filled_in_as_far_as_is_known() -> None:
    known = after(live(began=at(-30)), GREEN)[1]
    text = draft(known, timeline(known), {"slo": "`mlgates runbook slo`"})
    assert "# Post-mortem of incident 1: churn" in text
    assert "| time to detect | 30 s |" in text
    assert "| acknowledged | never |" in text
    assert "| time to acknowledge | nobody took it on (allowed: 15 min) |" in text
    assert "| time to restore | 60 s |" in text
    assert "- slo: runbook \\`mlgates runbook slo\\`" in text
    for heading in ("Impact", "Timeline", "Detection", "Root cause", "Actions"):
        assert f"\n## {heading}\n" in text
    assert "still" not in text
    still = draft(after(live())[1], (), {})
    assert "**This incident is still open.**" in still
    assert "| time to restore | not yet |" in still


@given(st.text(), st.text(min_size=1))
def test_hostile_text_stays_text(title: str, model: str) -> None:
    known = incidents([Event(1, Kind.OPENED, at(0), "w", title, model=model, severity="SEV2")])[1]
    for text in (draft(known, timeline(known), {}), handover(model, [known], (), {}, now=START, hours=24)):
        assert "<script" not in text
        assert not [row for row in text.split("\n") if row.startswith("#") and not row.lstrip("#").startswith(" ")]


def test_the_hand_over_names_what_is_open_late_and_lately_done() -> None:
    known = after(live(), GREEN, live(champion="4", done=False))
    ledger = [Moment(at(1), "rollback of v2", "watch", "ledger entry 5"), Moment(at(-90_000), "old", "x", "y")]
    text = handover("churn", known.values(), ledger, {"fairness": "until March"}, now=START + 3600, hours=24)
    assert "- 2 SEV1 open, nobody has taken it on in time: live: slo: errors 0.071 > 0.02" in text
    assert "- 1 SEV2 closed: " in text
    assert "rollback of v2" in text
    assert "old" not in text
    assert "- fairness: until March" in text


@given(st.text(), st.lists(st.text(), max_size=3), st.sampled_from(list(Kind)))
def test_a_line_is_read_as_it_was_written(text: str, gates: list[str], kind: Kind) -> None:
    event = Event(1, kind, at(0), "ada", text, gates=tuple(gates))
    assert line(event).count(b"\n") == 1
    assert read(line(event)) == event


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"{", "line 1 is not JSON"),
        (b"[]", "line 1 is no record"),
        (b'{"schema": 2}', "line 1 was written by a newer pytest-mlgates (schema 2): upgrade"),
        (b'{"schema": 1, "mood": "bad"}', "line 1 has the unknown key 'mood'"),
        (b'{"schema": 1}', "line 1 is incomplete or wrong"),
        (
            b'{"schema": 1, "incident": 1, "kind": "opened", "time": "yesterday", "actor": "a", "text": "t"}',
            "line 1 'yesterday' is no time such as",
        ),
        (line(Event(1, Kind.NOTE, at(0), "a", "t")).strip(), "incident 1 has a line of kind note before it is opened"),
    ],
)
def test_a_damaged_file_is_named_and_never_written_to(tmp_path: Path, text: bytes, sentence: str) -> None:
    file = tmp_path / "incidents.jsonl"
    file.write_bytes(text + b"\n")
    for use in (Journal(file).incidents, lambda: Journal(file).add(lambda known: [])):
        with pytest.raises(CouldNotEvaluate) as told:
            use()
        assert sentence in str(told.value)
        assert "Restore the file, or move it away" in str(told.value)
    assert file.read_bytes() == text + b"\n"


def opened(number: int) -> Event:
    return Event(number, Kind.OPENED, at(0), "w", "x", model="churn", severity="SEV2", key=str(number))


@pytest.mark.parametrize("kept", range(0, 200, 7))
def test_half_a_line_that_a_crash_left_is_dropped_by_the_next_writer(tmp_path: Path, kept: int) -> None:
    journal = Journal(tmp_path / "incidents.jsonl")
    journal.add(lambda known: [opened(1)])
    with journal.file.open("ab") as stream:
        stream.write(line(opened(2))[:-1][:kept])
    assert list(journal.incidents()) == [1]
    journal.add(lambda known: [opened(len(known) + 1)])
    assert list(journal.incidents()) == [1, 2]


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CouldNotEvaluate, match="cannot be written: "):
        Journal(tmp_path / "file" / "incidents.jsonl").add(lambda known: [opened(1)])


def _open_twenty(file: Path) -> None:
    for _ in range(20):
        Journal(file).add(lambda known: [opened(len(known) + 1)])


def test_processes_take_turns(tmp_path: Path) -> None:
    file = tmp_path / "incidents.jsonl"
    context = multiprocessing.get_context("fork")
    children = [context.Process(target=_open_twenty, args=(file,)) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join(30)
    assert [child.exitcode for child in children] == [0] * 4
    assert list(Journal(file).incidents()) == list(range(1, 81))
