"""What `behaviour` makes of a model that answers oddly, is gone, or was hardly asked: nothing of it passes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pytest_mlgates.behaviour import kept, properties
from pytest_mlgates.behaviour.case import Case, CounterExample, Wrong
from pytest_mlgates.behaviour.inputs import Known
from pytest_mlgates.behaviour.properties import Bounds, Space
from pytest_mlgates.errors import CouldNotEvaluate, ModelGone
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.manifest import Manifest, parsed
from pytest_mlgates.measure.behaviour import Answering, behaviours
from pytest_mlgates.policy import Behaviour
from pytest_mlgates.ports import Rows, Said
from pytest_mlgates.rules import is_true
from pytest_mlgates.settings import Settings
from pytest_mlgates.verdict import Verdict

Answer = Callable[[Rows], Said]
FRAME = pd.DataFrame({"age": np.arange(40.0), "region": ["north", "south"] * 20})


def honest(rows: Rows) -> Said:
    for row in rows:
        if set(row) != {"age", "region"} or row["region"] not in ("north", "south"):
            return Said(refused="ValueError: unknown")
        if type(row["age"]) not in (int, float) or not 0 <= row["age"] <= 100:
            return Said(refused="ValueError: no age")
    return Said(values=[row["age"] / 200 for row in rows])


def settings(task: str = "binary") -> Settings:
    return Settings.model_validate({"model": "m", "golden": "g.csv", "label": "y", "task": task})


def judged(
    folder: Path,
    *asked: Answer | Answering,
    declared: Manifest | None = None,
    task: str = "binary",
    classes: tuple[str, ...] = (),
    **policy: Any,
) -> list[Evidence]:
    y = np.arange(40) % 2
    golden = GoldenSet(FRAME, y, FRAME[[]], None, None, "0" * 32, folder / "golden.csv", classes)
    who = [one if isinstance(one, Answering) else Answering("m v2", each(one)) for one in asked]
    used = settings(task).model_copy(update={"base": folder})
    return behaviours(golden, who, declared, None, Behaviour(examples=3, **policy), used, lambda _: None)


def each(answer: Answer) -> Callable[[Sequence[Rows]], list[Said]]:
    return lambda asks: [answer(rows) for rows in asks]


def verdicts(found: Sequence[Evidence]) -> dict[str, Verdict]:
    return {one.measure.removesuffix(" kept"): is_true("kept")(one).verdict for one in found}


def test_an_honest_model_keeps_all_nine(tmp_path: Path) -> None:
    found = verdicts(judged(tmp_path, honest))
    assert len(found) == 9
    assert set(found.values()) == {Verdict.PASS}


def test_a_model_that_dies_in_the_middle_of_the_search_fails(tmp_path: Path) -> None:
    """It answers the golden rows and ten frames more, and is dead from then on."""
    calls = itertools.count()

    def dies(rows: Rows) -> Said:
        return honest(rows) if next(calls) < 10 else Said(broke="m v2: its process was killed by SIGKILL")

    found = verdicts(judged(tmp_path, dies))
    assert {name for name, verdict in found.items() if verdict is not Verdict.FAIL} == {"answers", "same again"}


def test_a_model_that_cannot_be_loaded_again_in_the_middle_is_an_error(tmp_path: Path) -> None:
    calls = itertools.count()

    def ask(asks: Sequence[Rows]) -> list[Said]:
        if next(calls) > 10:
            raise CouldNotEvaluate("m v2: the process that runs models has gone")
        return [honest(rows) for rows in asks]

    with pytest.raises(CouldNotEvaluate, match="has gone"):
        judged(tmp_path, Answering("m v2", ask))


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (float("nan"), "answered nan, which is no finite number"),
        (float("inf"), "answered inf, which is no finite number"),
        (None, "answered None, which is no finite number"),
        ("nan", "answered 'nan', which is no label"),
        ([], "answered 0 values for one row"),
        ([0.1, 0.2, 0.3], "answered 3 values for one row"),
    ],
)
def test_what_is_no_answer_fails(tmp_path: Path, value: Any, sentence: str) -> None:
    def odd(rows: Rows) -> Said:
        said = honest(rows)
        return Said(values=[value] * len(rows)) if said.answered else said

    found = judged(tmp_path, odd)
    answers = next(one for one in found if one.measure == "answers kept")
    assert answers.value == 0
    assert answers.details["reason"] == f"answers: {sentence}"


@pytest.mark.parametrize(
    ("said", "trouble"),
    [
        (Said(refused="ValueError: never"), "m v2 does not answer golden rows: ValueError: never"),
        (Said(broke="killed by SIGSEGV"), "m v2 does not answer golden rows: killed by SIGSEGV"),
    ],
)
def test_who_does_not_answer_golden_rows_is_not_searched(tmp_path: Path, said: Said, trouble: str) -> None:
    """What refuses everything keeps every promise to refuse."""
    with pytest.raises(CouldNotEvaluate, match=trouble):
        judged(tmp_path, lambda rows: said)


def test_time_that_is_over_proves_nothing(tmp_path: Path) -> None:
    found = judged(tmp_path, honest, seconds=1e-9)
    assert set(verdicts(found).values()) == {Verdict.INCONCLUSIVE}
    assert {one.n for one in found} == {0}


def test_the_second_who_is_asked_is_not_passed_over_when_the_first_took_all_the_time(tmp_path: Path) -> None:
    found = judged(tmp_path, honest, Answering("the endpoint", each(honest)), seconds=1e-9)
    assert {one.details["asked"] for one in found if is_true("")(one).verdict is Verdict.INCONCLUSIVE} == {
        "m v2",
        "the endpoint",
    }


def test_a_counter_example_that_is_mended_proves_nothing_of_the_rest(tmp_path: Path) -> None:
    """It is tried first; with no time for anything new the property is not searched."""
    old = CounterExample("answers", "", Wrong("x", Case(({"age": 1.0, "region": "north"},)), "assert False"), "promise")
    kept.store(tmp_path / ".mlgates" / "counterexamples.json", {}, [old])
    found = judged(tmp_path, honest, seconds=1e-9)
    answers = next(one for one in found if one.measure == "answers kept")
    assert answers.n == 1
    assert is_true("")(answers).verdict is Verdict.INCONCLUSIVE


def test_without_anybody_to_ask_nothing_is_judged(tmp_path: Path) -> None:
    """And a gate that judged nothing is an error."""
    assert judged(tmp_path) == []


@pytest.mark.parametrize(
    ("declared", "task", "sentence"),
    [
        (None, "regression", "the range of a regression's answers must be declared: write output"),
        (
            {"monotone": {"age": "up"}},
            "multiclass",
            "monotone in manifest.yaml is not supported for multiclass models: a direction is of one score, and these "
            "give one a class; take it out",
        ),
        ({"monotone": {"region": "up"}}, "binary", "'region' is declared monotone, and it holds no numbers"),
    ],
)
def test_what_is_declared_and_cannot_be_searched_is_an_error(
    tmp_path: Path, declared: Any, task: str, sentence: str
) -> None:
    told = declared and parsed({"mlgates_manifest": 1, "output": {"low": 0, "high": 1}, **declared}, "m.yaml")
    with pytest.raises(CouldNotEvaluate, match=sentence):
        judged(tmp_path, honest, declared=told, task=task, classes=("a", "b", "c"))


# One row's answer by several values.

WIDE = Bounds(0.0, 1.0, ("cat", "dog"), wide=True)


@pytest.mark.parametrize("value", [[0.2, 0.8], "dog"])
def test_a_score_a_class_or_a_class_is_an_answer(value: Any) -> None:
    assert WIDE.fault(value) == ""


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ([], "0 values for 2 classes"),
        ([0.2, 0.3, 0.5], "3 values for 2 classes"),
        ([0.2, float("nan")], "nan, which is no finite number"),
        (["cat", "dog"], "'cat', which is no label"),
        (0.7, "0.7, which is no label"),
        ("eel", "'eel', which is no label"),
    ],
)
def test_what_is_neither_is_not(value: Any, sentence: str) -> None:
    assert WIDE.fault(value) == sentence


class Challenger:
    """What a pasted test asks."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def ask(self, *asks: Rows) -> list[Said]:
        return [Said(values=[self.value] * len(rows)) for rows in asks]


def test_the_pasted_test_of_several_classes_fails_until_the_model_is_mended() -> None:
    space: dict[str, Any] = {"rows": [{"age": 1}], "challenger": Challenger([0.2, 0.9, 0.1])}
    source = "[said] = challenger.ask(rows)\n" + WIDE.source()
    with pytest.raises(AssertionError):
        exec(source, space)
    for right in ([0.2, 0.8], "dog"):
        exec(source, space | {"challenger": Challenger(right)})


# Answered once, and not again: each way of asking the same is held against the other.

SPACE, BOUNDS = Space({"age": Known(low=0, high=9)}), Bounds(0.0, 1.0)
ROWS = Case(({"age": 1, "b": 2}, {"age": 2, "b": 3}))
REFUSED, TWO = Said(refused="ValueError: x"), Said(values=[0.1, 0.2])


@pytest.mark.parametrize(
    ("one", "said", "sentence"),
    [
        (properties.same_again, [TWO, REFUSED], "answered 0.1, and asked again ValueError: x"),
        (properties.same_again, [Said(broke="killed"), TWO], "answered killed, and asked again 0.1"),
        (
            properties.alone_as_in_batch,
            [TWO, Said(values=[0.1]), REFUSED],
            "row 1 is answered in a batch of 2, and not alone: ValueError: x",
        ),
        (properties.same_again, [Said(broke="killed")] * 2, "not answered: killed"),
        (properties.alone_as_in_batch, [Said(broke="killed"), TWO, TWO], "not answered: killed"),
        (properties.any_column_order, [Said(broke="killed"), TWO], "not answered: killed"),
        (
            properties.any_column_order,
            [TWO, Said(values=[0.1])],
            "2 answers, and 1 with the columns in another order",
        ),
        (
            properties.any_column_order,
            [TWO, Said(broke="killed")],
            "columns in another order: killed",
        ),
    ],
)
def test_answered_once_and_not_again(one: Any, said: list[Said], sentence: str) -> None:
    found = one(SPACE, BOUNDS).wrong(ROWS, said)
    assert found is not None
    assert found.sentence == sentence


@pytest.mark.parametrize(
    "one",
    [properties.monotone(SPACE, "age", "up", BOUNDS), properties.invariant(SPACE, "age", BOUNDS)],
    ids=lambda one: one.name,
)
def test_a_direction_of_a_model_that_is_gone_is_not_kept(one: Any) -> None:
    for said in ([Said(broke="killed"), TWO], [TWO, Said(broke="killed")]):
        found = one.wrong(Case(ROWS.rows, ROWS.rows), said)
        assert found is not None
        assert found.sentence == "not answered: killed"


def test_a_model_that_is_gone_says_so_of_each_frame() -> None:
    """A frame that ends the process is told from those that were not asked after it."""
    from pytest_mlgates.model import Scoring

    class Dies:
        tried = ()

        def ask(self, method: Any, asks: Sequence[Rows], dtypes: Any, within: float) -> Any:
            raise ModelGone("m v2: its process was killed by SIGKILL")

    class Scorer:
        def open(self, *_: Any) -> Any:
            return Dies()

    golden = GoldenSet(FRAME, np.arange(40) % 2, FRAME[[]], None, None, "0" * 32, Path("golden.csv"))
    pinned: Any = type("Pinned", (), {"files": ".", "version": None})()
    scoring = Scoring(settings(), {"challenger": pinned}, Scorer, lambda: golden)  # type: ignore[arg-type]
    said = scoring.ask_each("challenger", "auto", [[{"age": 1}], [{"age": 2}]], 1.0).said
    assert [one.broke for one in said] == [
        "m v2: its process was killed by SIGKILL",
        "not asked, for the frame before ended its process",
    ]
    assert not any(one.answered for one in said)
