"""The models behind HTTP: at the URLs of the settings, or served on loopback for this run.

An endpoint is ready when it answers golden rows as the model itself does, like compared with like: the default pyfunc
of a classifier answers labels, and labels are what it is held to.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_mlgates.doors.scoring import confinement_of
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.model import Model
from pytest_mlgates.settings import Settings
from pytest_mlgates.wires.likeness import Kinds, closest, declared

if TYPE_CHECKING:
    from pytest_mlgates.adapters.serving.http_endpoint import HttpEndpoint

#: The fixtures that hand these endpoints out.
FIXTURES = ("endpoint", "challenger_endpoint", "champion_endpoint", "champion_beside", "served")


@dataclass(frozen=True, eq=False)
class Served:
    """A model behind HTTP that answers; whether rightly is another question.

    `kinds` is what the model itself answers to all golden rows, a kind of output each.
    """

    endpoint: HttpEndpoint
    model: Model
    golden: GoldenSet
    output: str

    @cached_property
    def kinds(self) -> Kinds:
        return declared(own_answers(self.model, self.golden), self.output, self.endpoint.name)

    def compared(self, records: int) -> tuple[str, dict[int, float]]:
        """(kind of output, deviation by golden row) for `records` golden rows, asked in one request."""
        places = telling(self.kinds, records)
        found = self.endpoint.answer(self.golden.X.iloc[places]).tolist()
        kinds = [(kind, [values[place] for place in places]) for kind, values in self.kinds]
        kind, deviations = closest(found, kinds, self.endpoint.name)
        return kind, dict(zip(places, deviations, strict=True))


class Serving:
    """Opens each endpoint once. `models` gives the champion and the challenger, or None."""

    def __init__(
        self,
        settings: Settings,
        models: Mapping[str, Callable[[], Model | None]],
        golden: Callable[[], GoldenSet],
    ) -> None:
        self._settings, self._models, self._golden = settings, models, golden
        self._started: dict[str, HttpEndpoint] = {}
        self._served: dict[str, Served | CouldNotEvaluate] = {}
        self._ready: dict[str, HttpEndpoint | CouldNotEvaluate] = {}

    def start(self, roles: Iterable[str]) -> None:
        """Begin to serve `roles` without waiting, so that several come up side by side."""
        for role in roles:
            try:
                model = self._models[role]()
                if model is not None and role not in self._started:
                    self._started[role] = self._opened(role, model)
            except CouldNotEvaluate as problem:
                self._served[role] = problem

    def served(self, role: str) -> Served | None:
        """The model `role` once it answers, or None where there is no such model. Raises CouldNotEvaluate."""
        model = self._models[role]()
        return None if model is None else _once(self._served, role, lambda: self._answering(role, model))

    def endpoint(self, role: str) -> HttpEndpoint | None:
        """The endpoint of `role` once it answers golden rows right, or None. Raises CouldNotEvaluate."""
        served = self.served(role)
        return None if served is None else _once(self._ready, role, lambda: self._proven(served))

    @property
    def subject(self) -> str:
        """Whom this phase judges."""
        return "champion" if self._settings.phase == "live" else "challenger"

    def handed_out(self, fixture: str) -> Any:
        """What one of FIXTURES gives, without starting anything."""
        if fixture == "served":
            return self._served.get(self.subject)
        if fixture == "champion_beside":
            return None if self.subject == "champion" else self._ready.get("champion")
        return self._ready.get(self.subject if fixture == "endpoint" else fixture.removesuffix("_endpoint"))

    def close(self) -> None:
        for endpoint in self._started.values():
            endpoint.close()
        self._started.clear()

    def _opened(self, role: str, model: Model) -> HttpEndpoint:
        from pytest_mlgates.adapters.serving.http_endpoint import HttpEndpoint, secret_headers

        told, settings = self._settings.endpoint, self._settings
        name = f"{role} {model.pinned}"
        if url := told.url_of(role):
            return HttpEndpoint(
                name,
                url,
                told.spec,
                headers=secret_headers(told.headers, os.environ),
                timeout=told.timeout,
                verify_tls=told.verify_tls,
                ca=str(settings.base / told.ca) if told.ca else "",
            )
        if told.wire != "mlflow":
            raise CouldNotEvaluate(
                f"{role}_url is missing in [tool.mlgates.endpoint]: without it the {role} is served by MLflow's "
                f'scoring server, which does not speak {told.wire!r}; give the URL, or write wire = "mlflow"'
            )
        from pytest_mlgates.adapters.serving.mlflow_endpoint import MlflowEndpoint

        return MlflowEndpoint(
            name,
            Path(model.pinned.files),
            settings.run_dir,
            timeout=told.timeout,
            shown=settings.scoring_env,
            environ=os.environ,
            confinement=confinement_of(settings),
        )

    def _answering(self, role: str, model: Model) -> Served:
        golden, told = self._golden(), self._settings.endpoint
        if role not in self._started:
            self._started[role] = self._opened(role, model)
        endpoint = self._started[role]
        endpoint.until_answering(golden.X.head(told.records), told.start_timeout)
        return Served(endpoint, model, golden, told.output)

    def _proven(self, served: Served) -> HttpEndpoint:
        told = self._settings.endpoint
        kind, deviations = served.compared(told.records)
        row = max(deviations, key=lambda place: deviations[place])
        if deviations[row] > told.tolerance:
            raise CouldNotEvaluate(
                f"{served.endpoint.name} is not this model: its {kind} for golden row {row} are {deviations[row]:.3%} "
                f"from the model's own (tolerance {told.tolerance:.3%}): is another version served there?"
            )
        # No right answer is all zeros, so that one under load is known for what it is.
        values = next(values for one, values in served.kinds if one == kind)
        if not any(_all_zero(value) for value in values):
            served.endpoint.refuse_zeros()
        return served.endpoint


def own_answers(model: Model, golden: GoldenSet) -> Kinds:
    """What the model itself answers to the golden rows: its labels, and its scores in each form they are served in."""
    predicted = model.output(golden.X, "predict").values
    auto = model.output(golden.X).values
    regression = not golden.classes
    kinds = [("scores" if regression or _finer_than_labels(predicted) else "labels", predicted.tolist())]
    if auto.shape != predicted.shape or (auto != predicted).any():
        kinds.append(("scores", auto.tolist()))
        if auto.ndim == 2 and auto.shape[1] == 2:
            kinds.append(("scores", model.scores(golden.X).tolist()))
    return kinds


def swept(folder: Path) -> list[str]:
    """End what a killed run left behind, as the notes in `folder` say; a sentence for each."""
    if not folder.is_dir():
        return []
    from pytest_mlgates.adapters.serving.leftovers import sweep

    return sweep(folder)


def telling(kinds: Kinds, records: int) -> list[int]:
    """`records` places of golden rows, or all, spread evenly over what the model answers: rows that are answered alike
    would not tell one model from another.
    """
    answers = kinds[-1][1]
    ordered = sorted(range(len(answers)), key=lambda place: _sortable(answers[place]))
    count = min(len(ordered), records)
    return sorted({ordered[round(number * (len(ordered) - 1) / max(count - 1, 1))] for number in range(count)})


def _sortable(answer: Any) -> tuple[Any, ...]:
    return tuple(answer) if isinstance(answer, list) else (answer,)


def _finer_than_labels(values: Any) -> bool:
    return values.dtype.kind == "f" and bool((values != values.round()).any())


def _all_zero(value: Any) -> bool:
    return all(not isinstance(one, str) and one == 0 for one in (value if isinstance(value, list) else [value]))


def _once(kept: dict[str, Any], role: str, make: Callable[[], Any]) -> Any:
    """What was made before, or the same trouble again: nobody waits twice for a server that does not come."""
    if role not in kept:
        try:
            kept[role] = make()
        except CouldNotEvaluate as problem:
            kept[role] = problem
    if isinstance(kept[role], CouldNotEvaluate):
        raise kept[role]
    return kept[role]
