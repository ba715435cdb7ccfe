"""Entries survive the way through text facts, and any edit on the way shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.errors import UsageError
from pytest_mlgates.ledger import DIGEST, PROJECTED, SCHEMA, SUPERSEDED, Entry, Kind, digest, facts, record

plain = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
numbers = st.integers(1, 10**6).map(str)
entries = st.builds(
    Entry,
    kind=st.sampled_from([Kind.PROMOTE, Kind.ROLLBACK, Kind.ADOPT, Kind.OVERRIDE, Kind.HOLD, Kind.DRILL]),
    actor=plain.map("a".__add__),
    from_=st.just("") | numbers.map("9000000".__add__),
    to=numbers,
    after=st.integers(0, 10**6),
    reason=plain.map("because ".__add__),
    run=plain,
    evidence=plain,
    golden=plain,
    to_digest=plain,
    waivers=st.lists(plain, max_size=3).map(tuple),
    accepts=st.lists(st.integers(1, 99), max_size=3).map(tuple),
)


@given(entries)
def test_an_entry_comes_back_as_it_was(entry: Entry) -> None:
    assert record(7, facts(entry)).entry == entry
    assert all(facts(entry).values()), "a store may refuse empty values"


@given(entries, st.data())
def test_any_edited_fact_is_noticed(entry: Entry, data: st.DataObject) -> None:
    told = facts(entry)
    key = data.draw(st.sampled_from(sorted(told)))
    edited = {**told, key: data.draw(plain.filter(lambda text: text != told[key]))}
    read = record(7, edited)
    assert read.entry is None
    assert read.problem


@given(entries, st.data())
def test_a_removed_or_added_fact_is_noticed(entry: Entry, data: st.DataObject) -> None:
    told = facts(entry)
    key = data.draw(st.sampled_from(sorted(told)))
    assert record(7, {k: v for k, v in told.items() if k != key}).entry is None
    assert record(7, {**told, "mlgates.extra": "x"}).entry is None


def test_later_notes_and_other_peoples_tags_are_no_edit() -> None:
    told = facts(Entry(Kind.PROMOTE, "me", to="2", after=1))
    read = record(3, {**told, PROJECTED: "today", "mlflow.note": "nice", "owner": "you"})
    assert (read.entry is not None, read.projected, read.open) == (True, "today", False)
    assert record(3, told).open
    assert not record(3, {**told, SUPERSEDED: "today"}).open
    assert not record(3, facts(Entry(Kind.ADOPT, "me", to="2", reason="x"))).open


def test_what_no_store_could_keep_is_made_storable() -> None:
    entry = Entry(Kind.PROMOTE, "me", to="2", reason="a\0b\ud800" + "x" * 200_000)
    told = facts(entry)
    assert told["mlgates.reason"].startswith("ab?x")
    assert len(told["mlgates.reason"]) <= 20_000
    assert record(1, told).entry is not None


def test_a_newer_schema_is_refused_in_a_clear_sentence() -> None:
    told = facts(Entry(Kind.PROMOTE, "me", to="2"))
    told["mlgates.schema"] = str(SCHEMA + 1)
    told["mlgates.kind"] = "teleport"
    read = record(3, {**told, DIGEST: digest(told)})
    assert (read.entry, read.newer) == (None, True)
    assert read.problem == "was written by a newer pytest-mlgates (schema 2, this one reads up to 1): upgrade"


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        ({"mlgates.kind": "teleport"}, "'teleport' is not a valid Kind"),
        ({"mlgates.after": "soon"}, "invalid literal for int"),
        ({"mlgates.waivers": "{"}, "JSONDecodeError"),
        ({"mlgates.actor": " "}, "no actor"),
        ({"mlgates.to": "x"}, "'x' is no version number"),
    ],
)
def test_senseless_facts_with_a_right_digest_are_said(edit: dict[str, str], problem: str) -> None:
    told = facts(Entry(Kind.PROMOTE, "me", to="2")) | edit
    read = record(3, {**told, DIGEST: digest(told)})
    assert read.entry is None
    assert problem in read.problem


def test_what_is_no_entry_is_said() -> None:
    assert record(3, {"stage": "x"}).problem == "is no ledger entry: it has no digest"


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"actor": "  "}, "no actor"),
        ({"kind": Kind.ROLLBACK, "reason": " "}, "the reason is empty"),
        ({"kind": Kind.OVERRIDE, "reason": ""}, "the reason is empty"),
        ({"kind": Kind.ADOPT, "reason": ""}, "the reason is empty"),
        ({"to": ""}, "no version to make champion"),
        ({"from_": "2"}, "v2 is champion already"),
        ({"to": "latest"}, "'latest' is no version number"),
        ({"to": "٣"}, "'٣' is no version number"),
    ],
)
def test_an_entry_nobody_could_make_sense_of_is_refused(wrong: dict[str, str], problem: str) -> None:
    given_: dict[str, object] = {"kind": Kind.PROMOTE, "actor": "me", "to": "2", "reason": "r"} | wrong
    with pytest.raises(UsageError, match=problem):
        Entry(**given_)  # type: ignore[arg-type]
