"""Which entries count. Records are written by hand here: one line an entry."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from pytest_mlgates.errors import UsageError
from pytest_mlgates.ledger import (
    Entry,
    Fate,
    Kind,
    LedgerBroken,
    Record,
    Standing,
    replay,
    rollback_target,
    rollback_targets,
    rolled_back,
    standing,
)


def at(number: int, kind: str, from_: str, to: str, after: int, *, open_: bool = False, **more: object) -> Record:
    entry = Entry(Kind(kind), "me", from_=from_, to=to, after=after, reason="r", **more)  # type: ignore[arg-type]
    return Record(number, entry, projected="" if open_ else "then")


GENESIS = at(1, "genesis", "", "12", 0)


def fates(records: list[Record]) -> list[Fate]:
    return [ruling.fate for ruling in replay(records).rulings]


def test_an_empty_log_has_no_champion_and_no_problem() -> None:
    state = replay([])
    assert (state.champion, state.last, dict(state.problems)) == ("", 0, {})


def test_the_second_of_two_judged_against_the_same_champion_does_not_count() -> None:
    state = replay([GENESIS, at(2, "promote", "12", "13", 1), at(3, "promote", "12", "14", 1)])
    assert (state.champion, state.last) == ("13", 2)
    assert state.rulings[2].fate is Fate.STALE
    assert state.rulings[2].why == "judged after entry 1, but entry 2 changed the champion meanwhile"


def test_a_b_a_does_not_count() -> None:
    records = [
        GENESIS,
        at(2, "promote", "12", "13", 1),
        at(3, "rollback", "13", "12", 2),
        at(4, "promote", "12", "14", 1),
    ]
    state = replay(records)
    assert (state.champion, state.rulings[3].fate) == ("12", Fate.STALE)
    assert replay([*records[:3], at(4, "promote", "12", "14", 3)]).champion == "14"


def test_the_right_ticket_with_the_wrong_champion_does_not_count() -> None:
    state = replay([GENESIS, at(2, "promote", "11", "13", 1)])
    assert state.champion == "12"
    assert state.rulings[1].why == "judged against v11, but v12 was champion"


def test_order_is_by_number_whatever_the_clocks_said() -> None:
    records = [
        GENESIS,
        at(2, "promote", "12", "13", 1, time="2031-01-01"),
        at(10, "promote", "13", "14", 2, time="1999-01-01"),
    ]
    records += [at(n, "hold", "13", "9", 2) for n in range(3, 10)]
    for seed in range(5):
        random.Random(seed).shuffle(records)
        assert replay(records).champion == "14"


def test_a_repeated_operation_counts_once_even_if_it_would_fit_again() -> None:
    first = at(2, "promote", "12", "13", 1, operation="same")
    back = at(3, "rollback", "13", "12", 2)
    again = at(4, "promote", "12", "13", 3, operation="same")
    assert fates([GENESIS, first, back, again])[3] is Fate.REPEATED
    assert replay([GENESIS, first, back, again]).champion == "12"


def test_judged_hold_drill_and_repair_never_change_the_champion() -> None:
    records = [
        GENESIS,
        *(at(n + 2, kind, "12", "13", 1) for n, kind in enumerate(("judged", "hold", "drill", "repair"))),
    ]
    state = replay(records)
    assert (state.champion, state.last) == ("12", 1)
    assert fates(records)[1:] == [Fate.NOTED] * 4
    assert replay([*records, at(6, "promote", "12", "13", 1)]).champion == "13"


def test_a_second_genesis_does_not_count() -> None:
    assert fates([GENESIS, at(2, "genesis", "", "15", 0)]) == [Fate.COUNTS, Fate.STALE]


@pytest.mark.parametrize(
    ("records", "sentence"),
    [
        ([GENESIS, at(3, "hold", "12", "13", 1)], "entry 2 is missing: it was deleted"),
        ([at(2, "promote", "12", "13", 1)], "entry 1 is missing: it was deleted"),
        ([at(1, "promote", "", "13", 0)], "entry 1 is no genesis entry: the log was recreated"),
        ([GENESIS, Record(2, None, "was altered: ...")], "entry 2 was altered: ..."),
        ([GENESIS, Record(2, None, "was written by a newer one", newer=True)], "entry 2 was written by a newer one"),
    ],
)
def test_nothing_acts_on_a_damaged_log(records: list[Record], sentence: str) -> None:
    state = replay(records)
    with pytest.raises(LedgerBroken) as caught:
        state.require_sound()
    assert sentence in str(caught.value)
    assert "Nothing was changed" in str(caught.value)


def test_a_person_may_take_responsibility_for_damage_by_name() -> None:
    altered = [GENESIS, Record(2, None, "was altered"), at(4, "promote", "12", "13", 1)]
    adopt = at(5, "adopt", "13", "13", 4, accepts=(2, 3))
    state = replay([*altered, adopt])
    state.require_sound()
    assert (state.champion, state.last) == ("13", 5)
    partly = at(5, "adopt", "13", "13", 4, accepts=(2,))
    assert list(replay([*altered, partly]).problems) == [3]
    stale = at(5, "adopt", "12", "13", 1, accepts=(2, 3))
    assert sorted(replay([*altered, stale]).problems) == [2, 3]


def test_what_a_newer_version_wrote_cannot_be_accepted() -> None:
    newer = Record(2, None, "was written by a newer one", newer=True)
    state = replay([GENESIS, newer, at(3, "adopt", "12", "12", 1, accepts=(2,))])
    assert list(state.problems) == [2]


def chain(*moves: tuple[str, str], unseen: tuple[int, ...] = ()) -> list[Record]:
    """genesis v12, then each (kind, to), all counting; `unseen` numbers never served."""
    records, champion = [GENESIS], "12"
    for number, (kind, to) in enumerate(moves, start=2):
        records.append(at(number, kind, champion, to, number - 1, open_=number in unseen))
        champion = to
    return records


@pytest.mark.parametrize(
    ("records", "targets"),
    [
        (chain(), ()),
        (chain(("promote", "13")), ("12",)),
        (chain(("promote", "13"), ("promote", "14")), ("13", "12")),
        (chain(("promote", "13"), ("promote", "14"), unseen=(2,)), ("12",)),
        (chain(("promote", "13"), ("rollback", "12")), ()),
        (chain(("promote", "13"), ("promote", "14"), ("rollback", "13")), ("12",)),
        (chain(("promote", "13"), ("rollback", "12"), ("promote", "14")), ("12",)),
        (chain(("promote", "13"), ("promote", "12"), ("promote", "14")), ("12", "13")),
        (chain(("promote", "13"), ("adopt", "12")), ()),
        (chain(("promote", "13"), ("adopt", "15")), ("13", "12")),
        (chain(("override", "13"), ("rollback", "11")), ("13", "12")),
    ],
)
def test_a_rollback_goes_to_the_last_version_that_served_and_was_not_rolled_back_from(
    records: list[Record], targets: tuple[str, ...]
) -> None:
    assert replay(records).champion == (records[-1].entry or GENESIS.entry).to  # type: ignore[union-attr]
    assert rollback_targets(replay(records)) == targets


SERVED_AND_LEFT = [
    GENESIS,
    at(2, "promote", "12", "13", 1, to_digest="d13", evidence="e2"),
    at(3, "rollback", "13", "12", 2),
]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ([], 3),
        ([at(4, "promote", "12", "14", 3), at(5, "rollback", "14", "12", 4)], 3),
        ([at(4, "drill", "12", "13", 3), at(5, "judged", "12", "13", 3)], 3),
        ([at(4, "override", "12", "13", 3)], None),
        ([at(4, "override", "12", "15", 3, to_digest="d13")], None),
        ([at(4, "override", "12", "14", 3, to_digest="d14")], 3),
        ([at(4, "override", "12", "13", 1)], 3),
        ([at(4, "override", "12", "13", 3), at(5, "rollback", "13", "12", 4)], 5),
    ],
)
def test_a_version_that_was_rolled_back_stays_so_until_an_override_that_counts(
    more: list[Record], expected: int | None
) -> None:
    state = replay([*SERVED_AND_LEFT, *more])
    for version, files in (("13", ""), ("13", "d13"), ("99", "d13")):
        found = rolled_back(state, version, files)
        assert (found.number if found else None) == expected, (version, files)
    assert rolled_back(state, "12", "d12") is None
    assert rolled_back(state, "99", "") is None


def test_a_promotion_that_was_taken_back_at_once_is_no_rollback() -> None:
    """Its workload did not come up: the entry rests on the promotion's own evidence, no judgement of the live one."""
    records = [*SERVED_AND_LEFT[:2], at(3, "rollback", "13", "12", 2, evidence="e2")]
    assert rolled_back(replay(records), "13", "d13") is None
    live = [*SERVED_AND_LEFT[:2], at(3, "rollback", "13", "12", 2, evidence="e3")]
    assert rolled_back(replay(live), "13", "d13") is not None


def test_with_nowhere_to_go_the_rollback_says_so() -> None:
    with pytest.raises(UsageError, match=r"^nothing to roll back to: v12 is champion and no other version is known"):
        rollback_target(replay([GENESIS]))
    with pytest.raises(UsageError, match="there is no champion"):
        rollback_target(replay([at(1, "genesis", "", "", 0)]))


@pytest.mark.parametrize(
    ("records", "found", "expected"),
    [
        (chain(("promote", "13")), "13", Standing.SETTLED),
        (chain(("promote", "13")), "12", Standing.MOVED),
        (chain(("promote", "13")), "", Standing.MOVED),
        (chain(("promote", "13"), unseen=(2,)), "12", Standing.UNFINISHED),
        (chain(("promote", "13"), unseen=(2,)), "13", Standing.UNFINISHED),
        (chain(("promote", "13"), unseen=(2,)), "11", Standing.MOVED),
        (chain(("promote", "13"), unseen=(2,)), "", Standing.MOVED),
        # A slow writer of entry 2 puts back v13 after v14 was projected.
        (chain(("promote", "13"), ("promote", "14"), unseen=(2,)), "13", Standing.UNFINISHED),
        (chain(("promote", "13"), ("promote", "14"), unseen=(3,)), "12", Standing.MOVED),
        # An undo of a move by hand to v7 was begun.
        ([*chain(("promote", "13")), at(3, "repair", "7", "13", 2, open_=True)], "7", Standing.UNFINISHED),
        ([*chain(("promote", "13")), at(3, "repair", "7", "13", 2)], "7", Standing.MOVED),
        # A late entry that did not count explains nothing.
        ([*chain(("promote", "13")), at(3, "promote", "12", "14", 1, open_=True)], "14", Standing.MOVED),
    ],
)
def test_only_a_pending_entry_explains_a_difference(records: list[Record], found: str, expected: Standing) -> None:
    assert standing(replay(records), found) is expected


def test_an_open_record_is_pending_only_if_it_counts() -> None:
    stale = replace(at(2, "promote", "11", "13", 1), projected="")
    assert replay([GENESIS, stale]).pending == ()
