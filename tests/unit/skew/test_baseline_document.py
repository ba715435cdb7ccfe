"""A baseline holds counts and moments, comes back as it was written, and holds nothing that is somebody's."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from skew_sides import RESERVED, baseline, normal, of_frame, survey, table

from pytest_mlgates.baseline.document import Baseline
from pytest_mlgates.baseline.make import make
from pytest_mlgates.baseline.read import parsed
from pytest_mlgates.engine import arrow, counting
from pytest_mlgates.errors import UsageError


@pytest.fixture(scope="module")
def of_2015() -> Baseline:
    return make(of_frame(survey(2015), "2015"), without=RESERVED[1:], importances={"AGEP": 0.4, "SCHL": 0.2})


def test_it_comes_back_as_it_was_written(of_2015: Baseline) -> None:
    assert parsed(of_2015.to_json(), "it") == of_2015


def test_amounts_have_exact_percentiles_and_codes_a_table(of_2015: Baseline) -> None:
    people = survey(2015)
    age, schooling = of_2015.columns["AGEP"].numbers, of_2015.columns["SCHL"].words
    assert age is not None and schooling is not None
    assert age.deciles == tuple(np.unique(np.quantile(people.AGEP, np.arange(1, 10) / 10, method="higher")))
    assert (age.low, age.high, sum(age.counts)) == (people.AGEP.min(), people.AGEP.max(), len(people))
    assert age.mean == pytest.approx(people.AGEP.mean())
    assert age.sd == pytest.approx(people.AGEP.std())
    assert dict(schooling.counts) == people.SCHL.value_counts().to_dict()
    assert set(of_2015.columns) == set(people.columns) - {"year", "employed"}


def test_of_what_tells_rows_apart_no_value_is_kept() -> None:
    people = 5_000
    mail = np.array([f"someone{k}@example.org" for k in range(people)])
    made = baseline(id=np.arange(77_000_000, 77_000_000 + people), mail=mail, age=normal(people, 1))
    text = made.to_json()
    assert {name for name, column in made.columns.items() if column.left_out} == {"id", "mail"}
    assert "example.org" not in text
    assert "7700" not in text


def test_a_value_of_few_rows_is_counted_but_not_named() -> None:
    made = baseline(job=["clerk"] * 500 + ["nurse"] * 495 + ["lighthouse keeper"] * 4 + ["queen"])
    words = made.columns["job"].words
    assert words is not None
    assert (dict(words.counts), words.others, words.once, words.distinct) == ({"clerk": 500, "nurse": 495}, 5, 1, 4)


def test_ten_million_categories_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer of them here, with memory for fewer still: the frequent ones are still counted to the row."""
    held: list[int] = []
    original = counting.WordCount._merge

    def watched(self: Any) -> None:
        original(self)
        held.append(self._table.num_rows if self._table is not None else 0)

    monkeypatch.setattr(counting.WordCount, "_merge", watched)
    monkeypatch.setattr(arrow.ArrowColumn.words, "__defaults__", (10_000, ()))
    rng = np.random.default_rng(0)
    rare = rng.integers(0, 1_000_000, 600_000)
    often = rng.integers(-5, 0, 200_000)
    both = np.concatenate((rare, often))
    rng.shuffle(both)
    words = baseline(w=both.astype(str)).columns["w"].words
    assert words is not None
    frequent = {word: rows for word, rows in words.counts if rows > 1_000}
    assert frequent == {str(code): int((often == code).sum()) for code in range(-5, 0)}
    assert sum(frequent.values()) + sum(rows for word, rows in words.counts if word not in frequent) + words.others == (
        len(both)
    )
    assert words.distinct == pytest.approx(len(np.unique(both)), rel=0.03)
    assert max(held) < 120_000


def test_a_table_without_rows_has_none() -> None:
    with pytest.raises(UsageError, match=r"^a table has no rows that a baseline could be made of$"):
        make(table(x=np.empty(0)))


def test_an_importance_of_no_column_is_a_mistake() -> None:
    with pytest.raises(
        UsageError, match=r"^an importance is given for 'agee', which a table lacks: did you mean 'age'\?$"
    ):
        make(table(age=normal(50, 1)), importances={"agee": 1.0})


class TestReading:
    def says(self, change: Any) -> str:
        data = json.loads(baseline(x=normal(50, 1)).to_json())
        change(data)
        with pytest.raises(UsageError) as caught:
            parsed(json.dumps(data), "b.json")
        return str(caught.value)

    def test_a_newer_version_says_so(self) -> None:
        assert self.says(lambda data: data.update(mlgates_baseline=2, made_with="pytest-mlgates 9.0")) == (
            "b.json was made by a newer version of pytest-mlgates (pytest-mlgates 9.0; this one reads baselines up to "
            "version 1): update pytest-mlgates here"
        )

    @pytest.mark.parametrize("version", [0, -1, "1", True, None, 1.5])
    def test_a_version_that_never_was(self, version: Any) -> None:
        said = self.says(lambda data: data.update(mlgates_baseline=version))
        assert said.startswith(f"b.json says it is a baseline of version {version!r}, which never was: make it with")

    def test_another_document(self) -> None:
        assert self.says(lambda data: data.pop("mlgates_baseline")) == (
            'b.json is no baseline, for it lacks "mlgates_baseline": make it with `mlgates baseline TRAINING_FILE`'
        )

    def test_no_json(self) -> None:
        with pytest.raises(UsageError, match=r"^b\.json is no baseline, for it is not JSON"):
            parsed("{", "b.json")

    def test_a_column_that_is_wrong_is_named(self) -> None:
        said = self.says(lambda data: data["columns"]["x"].update(knd="number"))
        assert said == "unknown key 'knd' in column 'x' of b.json: did you mean 'kind'?"

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            (lambda x: x["numbers"]["counts"].pop(), "bins, not"),
            (lambda x: x["numbers"]["edges"].reverse(), "the edges do not ascend"),
            (lambda x: x["numbers"]["deciles"].append(99.0), "the deciles must be some of the edges"),
            (lambda x: x.pop("numbers"), "or says why it is left out"),
            (lambda x: x.update(nulls=51), "51 nulls in 50 rows"),
            (lambda x: x["numbers"].update(mean=None), "mean"),
            (lambda x: x["numbers"]["counts"].__setitem__(0, -1), "counts"),
        ],
    )
    def test_figures_that_contradict_each_other(self, change: Any, words: str) -> None:
        said = self.says(lambda data: change(data["columns"]["x"]))
        assert "column 'x' of b.json" in said
        assert words in said
