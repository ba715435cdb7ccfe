"""What `manifest` and `inference_hygiene` make of what a model's process says: too little, or odd, never passes."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.manifest import Explanation, Manifest, parsed
from pytest_mlgates.measure import manifest as measured
from pytest_mlgates.measure.explanation import Explained, explained
from pytest_mlgates.measure.hygiene import hygiene
from pytest_mlgates.policy import InferenceHygiene
from pytest_mlgates.policy import Manifest as Policy
from pytest_mlgates.ports import Rows, Said
from pytest_mlgates.rules import at_least, at_most, is_true
from pytest_mlgates.settings import Settings
from pytest_mlgates.verdict import Verdict

ASKED = Explanation(top=("a", "b"))
SETTINGS = Settings.model_validate({"model": "m", "golden": "g.csv", "label": "y", "task": "binary"})


class Stands:
    """Stands for a model: answers `scores`, and its process says `found` of it."""

    pinned = "m v2"

    def __init__(self, scores: Any = None, found: Any = None, said: Said | None = None) -> None:
        self._scores, self._found, self._said = scores, found, said

    def scores(self, rows: Any) -> Any:
        return self._scores

    def explained(self, *_: Any) -> Any:
        if isinstance(self._found, Exception):
            raise self._found
        return copy.deepcopy(self._found)

    def ask(self, *asks: Rows, within: float | None = None) -> list[Said]:
        return [self._said or Said() for _ in asks]


def golden(rows: int = 40, group: Any = None) -> GoldenSet:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(rows, 2)), columns=["a", "b"])
    return GoldenSet(frame, np.arange(rows) % 2, frame[[]], None, group, "0" * 32, Path("golden.csv"))


def linear(rows: int = 40, weights: tuple[float, float] = (2.0, 1.0)) -> Stands:
    """Its answers, and an explanation that adds up to them, of golden rows in the order that the seed draws."""
    values = golden(rows).X.to_numpy() * weights
    order = np.random.default_rng(ASKED.seed).permutation(rows)
    found = {
        "method": "linear",
        "columns": ["a", "b"],
        "values": values[order][:, :, None].tolist(),
        "base": np.full((rows, 1), 0.5).tolist(),
        "again": 0.0,
        "milliseconds_a_row": 1.0,
    }
    return Stands(values.sum(axis=1) + 0.5, found)


def explain(model: Stands, rows: int = 40, group: Any = None) -> Explained:
    return explained(model, golden(rows, group), ASKED, 60.0, SETTINGS)  # type: ignore[arg-type]


def judged(found: Explained, group: Any = None, **shares: float) -> list[Verdict]:
    """Agreement, additivity, the same again, and the declared shares."""
    rows, declared = golden(found.of, group), manifest(shares=shares)
    policy = Policy()
    return [
        at_least(policy.agreement)(measured.agreement(found, ASKED, rows, policy)).verdict,
        at_most(ASKED.tolerance)(measured.adds_up(found, ASKED)).verdict,
        at_most(0)(measured.same_again(found)).verdict,
        *(at_most(limit)(one).verdict for one, limit in measured.leaning(found, declared, rows, policy, 0)),
    ]


def manifest(**more: Any) -> Manifest:
    return parsed({"mlgates_manifest": 1, "output": {"low": 0, "high": 1}, **more}, "m.yaml")


def test_an_explanation_that_is_as_declared_passes() -> None:
    assert judged(explain(linear()), b=0.6) == [Verdict.PASS] * 4


def altered(**changes: Any) -> Stands:
    model = linear()
    model._found |= changes
    return model


VALUES = linear()._found["values"]


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (
            Stands(found=CouldNotEvaluate("m v2 raised TypeError: x")),
            "m v2 could not be explained: m v2 raised TypeErr",
        ),
        (
            Stands(found=CouldNotEvaluate("m v2 raised ModuleNotFoundError: No module named 'shap'")),
            'pip install "pytest-mlgates\\[explain\\]"',
        ),
        (Stands(found=[]), "m v2 could not be explained: what came back is no explanation"),
        (Stands(found={}), "m v2 could not be explained: what came back is no explanation"),
        (altered(values=[["x"]]), "what came back is no explanation"),
        (altered(values=[[0.5]] * 40), "values of shape \\(40, 1\\) came back"),
        (altered(base=[[0.5, 0.5]] * 40), "values of shape \\(40, 2, 1\\) came back"),
        (altered(base=[[0.5]] * 39), "values of shape \\(40, 2, 1\\) came back"),
        (altered(columns=["b", "a"]), "values of other columns than the golden set's came back"),
        (altered(values=VALUES[:19], base=[[0.5]] * 19), "19 rows could be explained, and 20 are needed"),
        (altered(values=[], base=[]), "values of shape \\(0,\\) came back"),
        (altered(values=VALUES * 2, base=[[0.5]] * 80), "80 rows came back for 40"),
        (altered(values=[[[float("nan")], [0.0]]] * 40), "its SHAP values are not finite"),
        (altered(base=[[float("inf")]] * 40), "its SHAP values are not finite"),
        (altered(again=float("nan")), "its SHAP values are not finite"),
    ],
)
def test_what_is_no_explanation_is_an_error(model: Stands, sentence: str) -> None:
    with pytest.raises(CouldNotEvaluate, match=sentence):
        explain(model)


def test_an_explanation_that_does_not_add_up_fails() -> None:
    assert judged(explain(altered(base=[[0.6]] * 40)))[1] is Verdict.FAIL


def test_an_explanation_of_another_number_of_outputs_adds_up_to_nothing() -> None:
    model = linear()
    model._scores = np.column_stack([model._scores, model._scores])
    assert judged(explain(model))[1] is Verdict.ERROR


def test_an_explanation_that_changes_when_asked_again_fails() -> None:
    assert judged(explain(altered(again=1e-9)))[2] is Verdict.FAIL


def test_a_feature_beyond_its_share_fails_and_is_not_averaged_away() -> None:
    assert judged(explain(linear()), b=0.1)[3] is Verdict.FAIL


def test_a_golden_set_of_few_rows_says_nothing_of_what_matters() -> None:
    """All of its 19 rows were explained, all the same way: no bootstrap makes that a proof."""
    found = explain(linear(19), 19)
    assert judged(found, b=0.6)[0] is Verdict.INCONCLUSIVE
    assert judged(found, b=0.6)[3] is Verdict.INCONCLUSIVE


def test_few_groups_of_rows_say_nothing_either() -> None:
    group = np.arange(40) // 4
    found = explain(linear(), group=group)
    assert judged(found, group, b=0.6)[0] is Verdict.INCONCLUSIVE
    assert judged(found, group, b=0.6)[3] is Verdict.INCONCLUSIVE
    said = measured.agreement(found, ASKED, golden(40, group), Policy()).cannot_say
    assert said == "10 groups of rows were explained, and 20 are needed"


def test_of_a_model_that_nothing_moves_no_feature_matters_most() -> None:
    """Ranked by place in the table, the declared top would be the measured one."""
    found = explain(linear(weights=(0.0, 0.0)))
    said = judged(found, b=0.6)
    assert (said[0], said[3]) == (Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE)


def test_a_champion_that_cannot_be_explained_is_said_and_holds_where_a_limit_is_set() -> None:
    found = measured.moved(explain(linear()), "m v1 could not be explained: x")
    assert at_most(0.2)(found).verdict is Verdict.INCONCLUSIVE
    assert found.cannot_say == "m v1 could not be explained: x"


# The range, and kill switches.


@pytest.mark.parametrize(("scores", "holds"), [([0.0, 1.0], 1.0), ([-0.01, 0.5], 0.0), ([0.5, 1.01], 0.0)])
def test_every_golden_row_is_within_the_declared_range(scores: list[float], holds: float) -> None:
    model: Any = Stands(np.array(scores))
    assert measured.in_range(golden(2), model, manifest()).value == holds


@pytest.mark.parametrize(
    ("said", "answer", "holds"),
    [
        (Said(refused="ValueError: off"), None, True),
        (Said(refused="ValueError: off"), 0.0, True),
        (Said(values=[0.0]), 0.0, True),
        (Said(values=[0.3]), 0.0, False),
        (Said(values=[0.3]), None, False),
        (Said(values=[]), None, False),
        (Said(broke="killed"), 0.0, False),
        (Said(broke="killed"), None, False),
    ],
)
def test_a_kill_switch_is_refused_or_gets_its_answer(said: Said, answer: float | None, holds: bool) -> None:
    model: Any = Stands(said=said)
    declared = manifest(kill_switch=[{"when": {"a": {"above": 3}}, "answer": answer}])
    [found] = measured.switches_hold(golden(), model, declared, 1.0)
    assert is_true("")(found).verdict is (Verdict.PASS if holds else Verdict.FAIL)


# A torch model while it answers.

CLEAN: dict[str, Any] = {name: [] for name in ("training", "graph", "gradients", "changed")}
CLEAN |= {"tensors": [5] * 30, "objects": [900] * 30}


def hygienic(found: Any) -> dict[str, Verdict]:
    model: Any = Stands(found=found)
    return {one.measure: is_true("")(one).verdict for one in hygiene(golden(), model, InferenceHygiene(), 1.0)}


def test_a_model_that_leaves_nothing_behind_passes() -> None:
    assert set(hygienic(CLEAN).values()) == {Verdict.PASS}


@pytest.mark.parametrize(
    ("change", "measure"),
    [
        ({"training": ["Net"]}, "eval mode"),
        ({"graph": ["Net"]}, "no gradient graph"),
        ({"gradients": ["Net.w"]}, "no gradients"),
        ({"changed": ["Net[0].mean"]}, "nothing changes"),
        ({"tensors": list(range(30))}, "no growing number of tensors"),
        ({"objects": list(range(0, 60, 2))}, "no growing number of objects"),
    ],
)
def test_each_kind_of_careless_model_fails(change: dict[str, Any], measure: str) -> None:
    assert {name for name, verdict in hygienic(CLEAN | change).items() if verdict is Verdict.FAIL} == {measure}


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (
            CouldNotEvaluate("m v2 raised ValueError: the model holds no torch module"),
            "inference_hygiene is about torch",
        ),
        ({}, "m v2 could not be looked at: what came back tells of no answers"),
        ([], "m v2 could not be looked at: what came back tells of no answers"),
        (CLEAN | {"training": ""}, "m v2 could not be looked at: what came back tells of no answers"),
        (CLEAN | {"tensors": []}, "0 of 30 answers were looked at"),
        (CLEAN | {"objects": [900] * 29}, "29 of 30 answers were looked at"),
    ],
)
def test_a_look_that_tells_too_little_is_an_error(found: Any, sentence: str) -> None:
    with pytest.raises(CouldNotEvaluate, match=sentence):
        hygienic(found)
