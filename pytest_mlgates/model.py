"""A pinned model version as gates see it: it answers, but it never runs in this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pytest_mlgates import fingerprint
from pytest_mlgates.cache import AnswerCache
from pytest_mlgates.errors import CouldNotEvaluate, ModelGone, UsageError
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.lock import TAG
from pytest_mlgates.pins import PinnedModel
from pytest_mlgates.ports import Answer, Attempt, Method, Rows, Said, ScoredModel, Scorer, Told
from pytest_mlgates.scores import as_classes, as_scores, labels_only
from pytest_mlgates.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Raised whenever the same model and rows may answer differently than an older cache says.
_SCORER_VERSION = "1"
_AFTER = "not asked, for the frame before ended its process"
THRESHOLD_TAG = "mlgates.threshold"


class Model:
    """The champion or the challenger.

    `version`, `run_id`, `tags` and `digest` are those the run pinned. `threshold` is the score from which a
    row counts as positive, `threshold_source` says where it came from.
    """

    def __init__(self, role: str, pinned: PinnedModel, settings: Settings, scoring: Scoring) -> None:
        self.role = role
        self.pinned = pinned
        self._settings, self._scoring = settings, scoring
        self.threshold, self.threshold_source = threshold_of(settings, pinned.version.tags)

    @property
    def version(self) -> str:
        return self.pinned.version.number

    @property
    def run_id(self) -> str:
        return self.pinned.version.run_id

    @property
    def tags(self) -> Mapping[str, str]:
        return self.pinned.version.tags

    @property
    def digest(self) -> str:
        return self.pinned.digest

    def predict(self, rows: Any) -> NDArray[Any]:
        """What the model predicts for `rows` (a DataFrame or array), one row each. Raises CouldNotEvaluate."""
        return self._scoring.ask(self.role, "predict", rows).values

    def predict_proba(self, rows: Any) -> NDArray[Any]:
        """Class probabilities (n, classes) as the model gives them. Raises CouldNotEvaluate."""
        return self._scoring.ask(self.role, "predict_proba", rows).values

    def output(self, rows: Any, method: Method = "auto") -> Answer:
        """What `method` gives for `rows`, as it is, and what was called. Raises CouldNotEvaluate."""
        return self._scoring.ask(self.role, method, rows)

    def scores(self, rows: Any) -> NDArray[Any]:
        """What quality is judged on: (n,) scores of the positive class, (n, k) class scores in the order of
        `golden_set.classes`, or (n,) values, by task. Raises CouldNotEvaluate when the output is of another length,
        not finite, or labels only.
        """
        return as_scores(self._answer(rows), len(rows), self._settings, str(self.pinned), self._scoring.classes)

    def chosen(self, rows: Any) -> NDArray[Any]:
        """Of a multiclass model the class it chooses, (n,) places in `golden_set.classes`. Raises CouldNotEvaluate."""
        return as_classes(self._answer(rows), len(rows), self._settings, str(self.pinned), self._scoring.classes)

    def answers(self, rows: Any) -> NDArray[Any]:
        """`scores`, or `chosen` where a multiclass model gives nothing else: what two models can be compared on."""
        bare = self._settings.task == "multiclass" and labels_only(self._answer(rows))
        return self.chosen(rows) if bare else self.scores(rows)

    def ask(self, *asks: Rows, within: float | None = None) -> list[Said]:
        """What it says of each small frame, given as rows of plain cells: any cells, columns left out, in any order.

        Values are scores as `scores` has them, but nothing of them is checked; `within` seconds it must answer. A
        frame at which its process dies or is silent is told from the others. Raises CouldNotEvaluate when the model
        cannot be loaded.
        """
        told = self._scoring.ask_each(self.role, self._settings.score, asks, within or self._settings.scoring_timeout)
        return [self._read(one, told.classes) for one in told.said]

    def explained(self, question: Mapping[str, Any], told: Mapping[str, Any], within: float) -> Any:
        """What the model's process finds out about the model itself, as plain data. Raises CouldNotEvaluate."""
        return self._scoring.ask_about(self.role, question, told, within)

    def _read(self, said: Said, classes: tuple[Any, ...]) -> Said:
        """Of two class scores a row that of the positive class; of one value in a list the value."""
        if not isinstance(said.values, list):
            return Said(broke="what it answers is no list with a value a row")
        positive = self._settings.positive_class
        column = classes.index(positive) if positive in classes else 1
        binary = self._settings.task == "binary"
        flat = [row[0] if isinstance(row, list) and len(row) == 1 else row for row in said.values]
        return replace(said, values=[row[column] if binary and _two(row) else row for row in flat])

    def kept_scores(self) -> NDArray[Any] | None:
        """`scores` of the golden rows where they are kept from an earlier run; no model is started for it."""
        answer = self._scoring.kept(self.role, self._settings.score)
        try:
            return as_scores(answer, len(answer.values), self._settings, str(self.pinned)) if answer else None
        except CouldNotEvaluate:
            return None  # its gates will say why

    def _answer(self, rows: Any) -> Answer:
        return self._scoring.ask(self.role, self._settings.score, rows)

    def __repr__(self) -> str:
        return f"<{self.role} {self.pinned}>"


class Scoring:
    """Asks the models, each in its own process; what they say of the golden set is kept.

    `open_scorer` and `read_golden` are called when first needed, so that a run whose answers are all kept
    starts no process.
    """

    def __init__(
        self,
        settings: Settings,
        pinned: Mapping[str, PinnedModel],
        open_scorer: Callable[[], Scorer],
        read_golden: Callable[[], GoldenSet],
    ) -> None:
        self._settings, self._pinned = settings, pinned
        self._open_scorer, self._read_golden = open_scorer, read_golden
        self._scorer: Scorer | None = None
        self._models: dict[str, ScoredModel] = {}
        self._every: list[tuple[str, ScoredModel]] = []
        self._kept: dict[tuple[str, str], Answer] = {}
        self._cache = AnswerCache(settings.cache_dir)

    def model(self, role: str) -> Model | None:
        pinned = self._pinned.get(role)
        return Model(role, pinned, self._settings, self) if pinned else None

    @property
    def classes(self) -> tuple[Any, ...]:
        """The golden set's classes, in whose order class scores come."""
        return self._read_golden().classes if self._settings.task == "multiclass" else ()

    def ask(self, role: str, method: Method, rows: Any) -> Answer:
        golden = self._read_golden()
        if rows is not golden.X:
            asked = self._opened(role)
            asked.start(method, rows)
            return asked.answer()
        if (role, method) not in self._kept:
            self._answer_on_golden(role, method, golden)
        return self._kept[role, method]

    def ask_each(self, role: str, method: Method, asks: Sequence[Rows], within: float) -> Told:
        """Where one of several frames ends the process, each is asked of a process of its own."""
        dtypes = {str(name): str(dtype) for name, dtype in self._read_golden().X.dtypes.items()}
        try:
            return self._opened(role).ask(method, asks, dtypes, within)
        except ModelGone as problem:
            self._models.pop(role, None)
            if len(asks) == 1:
                return Told([Said(broke=str(problem))])
        told: list[Told] = []
        for one in asks:
            # Whoever hangs is not waited for again and again: the first that breaks is told, the rest is not asked.
            gone = bool(told) and bool(told[-1].said[0].broke)
            told.append(Told([Said(broke=_AFTER)]) if gone else self.ask_each(role, method, [one], within))
        classes = next((one.classes for one in told if one.classes), ())
        return Told([said for one in told for said in one.said], classes)

    def ask_about(self, role: str, question: Mapping[str, Any], told: Mapping[str, Any], within: float) -> Any:
        try:
            return self._opened(role).about(question, told, within)
        except CouldNotEvaluate:
            self._models.pop(role, None)
            raise

    def kept(self, role: str, method: Method) -> Answer | None:
        """The answer on the golden set that an earlier run kept, if there is one."""
        golden = self._read_golden()
        found = self._cache.load(self._key(role, method, golden))
        return found if found is not None and len(found.values) == len(golden) else None

    def tried(self) -> set[tuple[str, Attempt]]:
        """(role, what it tried although no model may), of every process of this run and of the answers that are kept;
        so a run that starts no process says the same.
        """
        found = {(role, one) for role, model in self._every for one in model.tried}
        return found | {(role, one) for (role, _), answer in self._kept.items() for one in answer.tried}

    def close(self) -> None:
        if self._scorer is not None:
            self._scorer.close()
            self._scorer = None

    def _answer_on_golden(self, role: str, method: Method, golden: GoldenSet) -> None:
        """Both models are asked before either answer is awaited, so that they work side by side."""
        keys = {r: self._key(r, method, golden) for r in self._pinned if (r, method) not in self._kept}
        with self._cache.alone(fingerprint.of_text(*sorted(keys.values()))):
            for other, key in keys.items():
                found = self._cache.load(key)
                if found is not None:
                    self._kept[other, method] = found
            asked = {r: self._opened(r) for r in keys if (r, method) not in self._kept}
            for model in asked.values():
                model.start(method, golden.X)
            troubles: dict[str, CouldNotEvaluate] = {}
            for other, model in asked.items():
                try:
                    self._kept[other, method] = answer = model.answer()
                    self._cache.store(keys[other], answer)
                except CouldNotEvaluate as trouble:
                    troubles[other] = trouble
                    # A child that failed may be dead; the next question gets a new one.
                    self._models.pop(other)
        if role in troubles:
            raise troubles[role]

    def _opened(self, role: str) -> ScoredModel:
        if self._scorer is None:
            self._scorer = self._open_scorer()
        if role not in self._models:
            from pathlib import Path

            pinned = self._pinned[role]
            self._models[role] = self._scorer.open(Path(pinned.files), f"{role} {pinned}", pinned.version)
            self._every.append((role, self._models[role]))
        return self._models[role]

    def _environment(self, role: str) -> str:
        if self._settings.env_lock.scoring_env == "lock":
            return f"lock {self._pinned[role].version.tags.get(TAG, '')}"
        return fingerprint.of_environment()

    def _key(self, role: str, method: Method, golden: GoldenSet) -> str:
        columns = "\0".join(map(str, golden.X.columns))
        digest, environment = self._pinned[role].digest, self._environment(role)
        return fingerprint.of_text(_SCORER_VERSION, method, digest, golden.version, columns, environment)


def _two(row: Any) -> bool:
    return isinstance(row, list) and len(row) == 2


def threshold_of(settings: Settings, tags: Mapping[str, str]) -> tuple[float, str]:
    """(threshold, where it came from). Raises UsageError when the version's tag is no number."""
    if settings.threshold is not None:
        return settings.threshold, settings.origin("threshold")
    if THRESHOLD_TAG not in tags:
        return 0.5, "default"
    try:
        return float(tags[THRESHOLD_TAG]), f"version tag {THRESHOLD_TAG}"
    except ValueError:
        raise UsageError(f"version tag {THRESHOLD_TAG} = {tags[THRESHOLD_TAG]!r} is not a number") from None
