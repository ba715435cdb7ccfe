"""Each property is broken by a model that breaks it, shown by one row or pair, and kept by an honest one."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from pytest_mlgates.behaviour import hostile, kept, properties, search
from pytest_mlgates.behaviour.case import Case
from pytest_mlgates.behaviour.inputs import Known
from pytest_mlgates.behaviour.properties import Bounds, Property, Space
from pytest_mlgates.behaviour.search import Found
from pytest_mlgates.behaviour.strategies import hypothesis
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.manifest import Manifest, parsed
from pytest_mlgates.ports import Rows, Said

INPUTS = {
    "age": Known(whole=True, low=0, high=95),
    "code": Known(whole=True, values=tuple(range(5))),
    "region": Known(values=("north", "south")),
}
BOUNDS = Bounds(0.0, 1.0)
Answer = Callable[[Rows], Said]


def honest(rows: Rows) -> Said:
    """Refuses whatever it cannot know, and answers the rest by age."""
    for row in rows:
        if set(row) != set(INPUTS):
            return Said(refused="KeyError: a column is missing")
        if row["region"] not in ("north", "south") or row["code"] not in range(5):
            return Said(refused="ValueError: unknown category")
        if type(row["age"]) not in (int, float) or not 0 <= row["age"] <= 200:
            return Said(refused="ValueError: no age")
    return Said(values=[row["age"] / 200 for row in rows])


def manifest(**more: Any) -> Manifest:
    return parsed({"mlgates_manifest": 1, "output": {"low": 0, "high": 1}, **more}, "m.yaml")


def every(declared: Manifest | None = None) -> list[Property]:
    switches = declared.kill_switch if declared else ()
    space = Space(INPUTS, switches)
    return [
        properties.answers(space, BOUNDS),
        properties.same_again(space, BOUNDS),
        properties.alone_as_in_batch(space, BOUNDS),
        properties.any_column_order(space, BOUNDS),
        properties.monotone(space, "age", "up", BOUNDS),
        properties.invariant(space, "region", BOUNDS),
        *(hostile.switched_off(INPUTS, place, one, BOUNDS) for place, one in enumerate(switches)),
        *hostile.hostile(INPUTS, declared, BOUNDS, infinite=True),
    ]


def tried(one: Property, answer: Answer, **more: Any) -> Found:
    def ask(asks: Sequence[Rows]) -> list[Said]:
        return [answer(rows) for rows in asks]

    options: dict[str, Any] = {"examples": 30, "seed": 0, "deadline": time.monotonic() + 60}
    return search.tried(one, ask, **(options | more))


def named(name: str, column: str = "", declared: Manifest | None = None) -> Property:
    return next(one for one in every(declared) if one.key == (name, column))


@pytest.mark.parametrize("one", every(), ids=lambda one: f"{one.name} {one.column}")
def test_an_honest_model_keeps_every_property(one: Property) -> None:
    found = tried(one, honest)
    assert found.counter is None
    assert found.rows > 0


def changed(change: Callable[[Rows, list[Any]], list[Any]]) -> Answer:
    """The honest model, whose answers go through `change(rows, values)`."""

    def answer(rows: Rows) -> Said:
        said = honest(rows)
        return dataclasses.replace(said, values=change(rows, said.values)) if said.answered else said

    return answer


def knows_no_code(rows: Rows) -> Said:
    """As OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1) does."""
    return honest([row | {"code": row["code"] if row.get("code") in range(5) else 0} for row in rows if "code" in row])


def counted() -> Answer:
    calls = iter(range(10**9))
    return changed(lambda rows, values: [min(1.0, value + next(calls) * 1e-3) for value in values])


BROKEN: list[tuple[str, str, Answer, str]] = [
    (
        "answers",
        "",
        changed(lambda rows, values: [float("nan")] * len(rows)),
        "answered nan, which is no finite number",
    ),
    ("answers", "", changed(lambda rows, values: [3.5] * len(rows)), "answered 3.5, outside 0 to 1"),
    ("answers", "", changed(lambda rows, values: [0.5, *values]), "2 answers for 1 rows"),
    ("answers", "", changed(lambda rows, values: ["yes"] * len(rows)), "answered 'yes', which is no label"),
    ("answers", "", lambda rows: Said(refused="ValueError: never"), "not answered: ValueError: never"),
    ("same again", "", counted(), "answered 0, and asked again 0.001"),
    (
        "alone as in a batch",
        "",
        changed(lambda rows, values: [value / len(rows) for value in values]),
        "row 1 is answered 0.0025 in a batch of 2, and 0.005 alone",
    ),
    (
        "alone as in a batch",
        "",
        changed(lambda rows, values: sorted(values)),
        "row 0 is answered 0 in a batch of 2, and 0.005 alone",
    ),
    (
        "column order",
        "",
        changed(lambda rows, values: [0.5 if list(row) != list(INPUTS) else 0.1 for row in rows]),
        "answered 0.1, and 0.5 with the columns in another order",
    ),
    (
        "monotone",
        "age",
        changed(lambda rows, values: [0.9 if row["age"] < 50 else 0.1 for row in rows]),
        "age from 0 to 50 takes the answer from 0.9 to 0.1, and up is declared",
    ),
    (
        "invariant",
        "region",
        changed(lambda rows, values: [0.4 if row["region"] == "south" else 0.5 for row in rows]),
        "region from 'north' to 'south' moves the answer from 0.5 to 0.4",
    ),
    ("unknown category", "code", knows_no_code, "code = -1 is answered 0, not refused"),
    ("null", "age", lambda rows: Said(values=[0.5] * len(rows)), "age = null is answered 0.5, not refused"),
    ("wrong type", "age", lambda rows: Said(values=[0.5] * len(rows)), "age = 'abc' is answered 0.5, not refused"),
    ("missing column", "age", lambda rows: Said(values=[0.5]), "age is missing is answered 0.5, not refused"),
    ("extreme value", "age", lambda rows: Said(values=[0.5]), "age = 9595 is answered 0.5, not refused"),
    ("unknown category", "region", lambda rows: Said(broke="killed"), "region = 'unseen' breaks it: killed"),
]


@pytest.mark.parametrize(("name", "column", "answer", "sentence"), BROKEN, ids=[f"{b[0]} {b[3][:30]}" for b in BROKEN])
def test_a_model_that_breaks_it_is_caught_by_one_row_or_pair(
    name: str, column: str, answer: Answer, sentence: str
) -> None:
    counter = tried(named(name, column), answer).counter
    assert counter is not None
    assert counter.wrong.sentence == sentence
    assert len(counter.wrong.case.rows) == (2 if name == "alone as in a batch" else 1)


class Challenger:
    """What a pasted test asks."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def ask(self, *asks: Rows) -> list[Said]:
        return [self.answer(rows) for rows in asks]


@pytest.mark.parametrize(("name", "column", "answer", "sentence"), BROKEN, ids=[f"{b[0]} {b[3][:30]}" for b in BROKEN])
def test_the_pasted_test_fails_until_the_model_is_mended(name: str, column: str, answer: Answer, sentence: str) -> None:
    counter = tried(named(name, column), answer).counter
    assert counter is not None
    space: dict[str, Any] = {}
    exec(counter.as_test(), space)
    [test] = [found for key, found in space.items() if key.startswith("test_")]
    with pytest.raises((AssertionError, TypeError)):  # TypeError: text where a number is compared
        test(Challenger(answer))
    test(Challenger(honest))


def test_the_pasted_test_reads_as_people_write_it() -> None:
    counter = tried(named("unknown category", "code"), knows_no_code).counter
    assert counter is not None
    assert counter.as_test() == (
        "def test_unknown_category_code(challenger):\n"
        '    """code with an unknown category is refused."""\n'
        "    rows = [{'age': 0, 'code': -1, 'region': 'north'}]\n"
        "    [said] = challenger.ask(rows)\n"
        "    assert said.refused, said.values or said.broke\n"
    )


# What is declared.


def test_a_safe_value_is_as_good_as_refusing_and_any_other_is_not() -> None:
    declared = manifest(safe_value=0.0)
    one = named("unknown category", "code", declared)

    def answer(rows: Rows) -> Said:
        said = honest(rows)
        return said if said.answered else Said(values=[0.0] * len(rows))

    assert tried(one, answer).counter is None
    for values, sentence in (
        ([0.25], "code = -1 is answered 0.25, not refused or 0"),
        ([0.0, 0.0], "code = -1 gets 2 answers for one row"),
        ([], "code = -1 gets 0 answers for one row"),
    ):
        counter = tried(one, lambda rows, values=values: Said(values=values)).counter
        assert counter is not None
        assert counter.wrong.sentence == sentence


def test_what_is_allowed_must_still_be_an_answer() -> None:
    declared = manifest(columns={"code": {"unknown": "allowed", "reason": "codes are ordinal"}})
    one = named("unknown category", "code", declared)
    assert tried(one, knows_no_code).counter is None
    for answer, sentence in [
        (lambda rows: Said(values=[7.0]), "is answered 7, outside 0 to 1"),
        (lambda rows: Said(broke="silent"), "breaks it: silent"),
    ]:
        counter = tried(one, answer).counter
        assert counter is not None
        assert counter.wrong.sentence.endswith(sentence)
        assert len(counter.wrong.case.rows) == 1


SWITCHES = [{"when": {"age": {"above": 60}, "region": {"is": ["south"]}}, "answer": 0.0}]


def test_a_kill_switch_gives_its_answer_and_the_rows_it_meets_need_no_other() -> None:
    declared = manifest(kill_switch=SWITCHES)
    one = named("kill switch", "1", declared)
    counter = tried(one, honest).counter
    assert counter is not None
    assert counter.wrong.sentence == "age is above 60 and region is 'south' is answered 0.305, not refused or 0"

    def switched(rows: Rows) -> Said:
        said = honest(rows)
        met = [row["age"] > 60 and row["region"] == "south" for row in rows] if said.answered else []
        return Said(values=[0.0 if off else v for off, v in zip(met, said.values, strict=True)]) if met else said

    assert tried(one, switched).counter is None
    assert tried(named("answers", "", declared), switched).counter is None


def test_a_promised_null_is_nothing_odd() -> None:
    inputs = INPUTS | {"age": dataclasses.replace(INPUTS["age"], nulls=True)}
    names = [one.key for one in hostile.hostile(inputs, None, BOUNDS, infinite=True)]
    assert ("null", "age") not in names
    assert ("null", "code") in names


def test_infinity_is_sent_only_where_it_can_be() -> None:
    seen: list[Any] = []

    def note(rows: Rows) -> Said:
        seen.extend(row["age"] for row in rows)
        return Said(refused="no")

    for infinite in (False, True):
        seen.clear()
        one = next(o for o in hostile.hostile(INPUTS, None, BOUNDS, infinite=infinite) if o.name == "extreme value")
        tried(one, note, examples=200)
        assert (float("inf") in seen) is infinite


def test_made_up_rows_have_their_columns_in_order() -> None:
    orders: set[tuple[str, ...]] = set()

    def note(rows: Rows) -> Said:
        orders.update(tuple(row) for row in rows)
        return honest(rows)

    tried(named("alone as in a batch"), note, examples=100)
    assert orders == {tuple(INPUTS)}


# Seeded, bounded, tried again.


def test_the_same_seed_asks_the_same() -> None:
    asked: list[list[Any]] = []
    for seed in (1, 1, 2):
        asked.append([])

        def note(rows: Rows) -> Said:
            asked[-1].append(repr(rows))
            return honest(rows)

        tried(named("answers"), note, seed=seed)
    assert asked[0] == asked[1] != asked[2]


def test_without_time_nothing_is_tried_and_that_is_told() -> None:
    found = tried(named("answers"), honest, deadline=time.monotonic() - 1)
    assert (found.cases, found.untried) == (0, True)


def test_a_kept_case_is_tried_first_and_ends_the_search() -> None:
    one = named("unknown category", "code")
    case = Case(({"age": 1, "code": 77, "region": "south"},))
    asked: list[Any] = []

    def note(rows: Rows) -> Said:
        asked.append(rows)
        return knows_no_code(rows)

    counter = tried(one, note, kept=[case]).counter
    assert counter is not None
    assert (counter.replayed, counter.wrong.sentence) == (True, "code = 77 is answered 0.005, not refused")
    assert len(asked) == 1


def test_a_kept_case_that_holds_again_does_not_end_the_search() -> None:
    case = Case(({"age": 1, "code": 77, "region": "south"},))
    found = tried(named("unknown category", "code"), honest, kept=[case])
    assert found.counter is None
    assert found.cases > 1


def test_counter_examples_are_kept_and_read_back(tmp_path: Any) -> None:
    file = tmp_path / ".mlgates" / "counterexamples.json"
    assert kept.load(file) == ({}, "")
    counter = tried(named("unknown category", "code"), knows_no_code).counter
    assert counter is not None
    kept.store(file, {}, [counter])
    read, remark = kept.load(file)
    assert (read, remark) == ({("unknown category", "code"): [counter.wrong.case]}, "")
    kept.store(file, read, [counter])
    assert kept.load(file)[0] == read


@pytest.mark.parametrize("text", ["", "[]", '{"counterexamples": [{"property": "null"}]}', '{"counterexamples": 3}'])
def test_a_damaged_file_is_said_and_nothing_more(tmp_path: Any, text: str) -> None:
    file = tmp_path / "counterexamples.json"
    file.write_text(text)
    assert kept.load(file) == ({}, "counterexamples.json could not be read, so nothing was tried again")


def test_without_hypothesis_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(CouldNotEvaluate) as trouble:
        hypothesis()
    assert str(trouble.value) == (
        'rows are made up by Hypothesis, which is not installed: pip install "pytest-mlgates[behaviour]"'
    )
