"""A metric by its name in the settings: shipped, a scikit-learn scorer, or a function of the user's."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.measure.named_metric import named_metric
from pytest_mlgates.settings import Settings

Y, P = [0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9]
MINE = """
from sklearn.metrics import fbeta_score, make_scorer
def hits(y, scores):
    return float(((scores > 0.5) == y).mean())
class Costs:
    def __call__(self, y, scores):
        return 3.0
    @staticmethod
    def of(y, scores):
        return 2.0
COSTS = Costs()
LIMIT = 3
F2 = make_scorer(fbeta_score, beta=2)
LOSS = make_scorer(lambda y, p: 0.25, greater_is_better=False)
"""


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., Settings]:
    def make(task: str = "binary") -> Settings:
        made = Settings(model="m", golden="g.csv", label="y", task=task)
        return made.model_copy(update={"base": tmp_path})

    return make


@pytest.fixture(autouse=True)
def own_modules(tmp_path: Path) -> Iterator[None]:
    """What a test imports is forgotten after it."""
    (tmp_path / "profits").mkdir()
    (tmp_path / "profits/__init__.py").touch()
    (tmp_path / "profits/mine.py").write_text(MINE)
    (tmp_path / "profits/broken.py").write_text("1 / 0")
    (tmp_path / "profits/needs.py").write_text("import no_such_library")
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("profits"):
            del sys.modules[name]


def test_a_shipped_metric_of_the_task(settings) -> None:
    assert named_metric("log_loss", {}, settings()).influence is not None
    assert named_metric("r2", {}, settings("regression")).direction == "higher"
    assert named_metric("pinball_0.9", {}, settings("regression")).name == "pinball_0.9"


def test_a_function_in_the_settings_folder(settings) -> None:
    path = list(sys.path)
    metric = named_metric("profits.mine:hits", {"profits.mine:hits": "higher"}, settings())
    assert (metric.name, metric.direction, metric.value(Y, P)) == ("hits", "higher", 0.5)
    assert sys.path == path
    assert named_metric("profits.mine:COSTS.of", {"profits.mine:COSTS.of": "lower"}, settings()).direction == "lower"


def test_a_scorer_carries_its_own_sign(settings) -> None:
    assert named_metric("profits.mine:F2", {}, settings()).value(Y, P) == pytest.approx(0.5)
    loss = named_metric("profits.mine:LOSS", {}, settings())
    assert (loss.direction, loss.value(Y, P)) == ("higher", -0.25)
    by_name = named_metric("neg_brier_score", {}, settings())
    assert by_name.value(Y, P) == pytest.approx(-(0.01 + 0.36 + 0.36 + 0.01) / 4)


@pytest.mark.parametrize(
    ("name", "direction", "sentence"),
    [
        ("profits.mine:hits", {}, "of the metric profits.mine:hits is not said: write direction = "),
        ("profits.mine:F2", {"profits.mine:F2": "lower"}, "carries its sign, so higher is better: leave it out"),
        ("roc_auc", {"roc_auc": "lower"}, "of roc_auc higher is better: leave it out of `direction`"),
        ("profits.mine:gone", {}, "the metric 'profits.mine:gone': BASE/profits/mine.py has no gone"),
        ("profits.mine:LIMIT", {}, "the metric 'profits.mine:LIMIT' is 3, not a function(y, scores) or a scorer"),
        ("profits.nowhere:f", {}, "there is no module 'profits.nowhere' in BASE or among the installed packages"),
        ("nowhere.at.all:f", {}, "there is no module 'nowhere' in BASE or among the installed packages"),
        ("profits.broken:f", {}, "importing profits.broken raised ZeroDivisionError: division by zero"),
        ("profits.needs:f", {}, "importing profits.needs failed: No module named 'no_such_library'"),
        ("profits/mine.py:hits", {}, 'is no import path: write "package.module:function"'),
        ("profits.mine:", {}, "is no import path"),
        ("auc", {}, "unknown metric 'auc' for task 'binary': did you mean 'roc_auc'?; a function of your own is named"),
        ("xyzzy", {}, "unknown metric 'xyzzy' for task 'binary': known here: average_precision, brier, ece, f1,"),
        ("rmse", {}, "unknown metric 'rmse' for task 'binary'"),
    ],
)
def test_a_name_that_means_nothing_is_one_sentence(settings, tmp_path: Path, name, direction, sentence) -> None:
    with pytest.raises(CouldNotEvaluate) as raised:
        named_metric(name, direction, settings())
    assert sentence in str(raised.value).replace(str(tmp_path), "BASE")


def test_another_module_of_that_name_is_not_taken_for_it(settings, tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("def hits(y, scores): return 1.0\n")
    with pytest.raises(CouldNotEvaluate, match=r"was imported before under that name; rename json\.py"):
        named_metric("json:hits", {"json:hits": "higher"}, settings())


def test_without_scikit_learn_its_scorers_are_unknown(settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)
    with pytest.raises(CouldNotEvaluate, match="unknown metric 'neg_brier_score'"):
        named_metric("neg_brier_score", {}, settings())
