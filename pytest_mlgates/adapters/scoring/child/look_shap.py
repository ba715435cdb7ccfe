"""Explains a model by SHAP, in the process where the model runs; nothing of it is imported where the gates judge.

Tree ensembles and linear models are explained exactly, behind a pipeline's transformations too where every transformed
column comes of one input; anything else by permutation of its inputs, which asks the model thousands of times. Only the
standard library at the top.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

#: Rows that are explained first and at once again, to see what one costs and whether they come out the same.
_FIRST = 10
#: The share of the time that is left for rows; the rest is for imports, compiling, and asking again.
_FOR_ROWS = 0.5


def look(loaded: dict[str, Any], told: dict[str, Any], frame: Callable[[Any, Any], Any]) -> dict[str, Any]:
    """SHAP values of `told["rows"]`, as many as `told["seconds"]` allow.

    Gives `values` (n, inputs, outputs), `base` (n, outputs), the `method` that was taken, and `again`: by how much the
    first rows differ when asked once more. Raises whatever shap raises.
    """
    import numpy as np

    started = time.monotonic()
    rows, background = (frame(told[key], told["dtypes"]) for key in ("rows", "background"))
    columns = list(rows.columns)
    method, explain = _explainer(loaded, told, rows, background)
    first = explain(rows.iloc[:_FIRST])
    begun = time.monotonic()
    again = explain(rows.iloc[:_FIRST])
    cost = (time.monotonic() - begun) / len(again[0])
    spare = told["seconds"] * _FOR_ROWS - (time.monotonic() - started)
    affordable = max(len(first[0]), min(len(rows), int(spare / max(cost, 1e-9))))
    parts = [first]
    if affordable > len(first[0]):
        parts.append(explain(rows.iloc[_FIRST:affordable]))
    values, base = (np.concatenate([part[place] for part in parts]) for place in (0, 1))
    return {
        "method": method,
        "columns": columns,
        "values": values.tolist(),
        "base": base.tolist(),
        "again": float(np.abs(first[0] - again[0]).max()),
        "milliseconds_a_row": 1000 * cost,
    }


_Explain = Callable[[Any], tuple[Any, Any]]


def _explainer(loaded: dict[str, Any], told: dict[str, Any], rows: Any, background: Any) -> tuple[str, _Explain]:
    """(which one, a function from a frame to values and base), tried on a row."""
    wanted, troubles = told["method"], []
    model = _raw(loaded["model"])
    ways = {"tree": _tree, "linear": _linear}
    for name in ways if wanted == "auto" else [wanted] if wanted in ways else []:
        try:
            explain = ways[name](model, rows, background)
            explain(rows.iloc[:2])
        except Exception as problem:  # noqa: BLE001 - shap raises many kinds for a model that it does not know
            troubles.append(f"{name}: {type(problem).__name__}: {problem}")
        else:
            return name, explain
    if wanted in ways:
        raise ValueError(troubles[0])
    return "permutation", _permutation(loaded["model"], told, rows, background)


def _raw(model: Any) -> Any:
    """The library's own model behind MLflow's wrapper, where there is one."""
    try:
        return model.get_raw_model()
    except Exception:  # noqa: BLE001 - there is none, or the flavour does not hand it out
        return model


def _tree(model: Any, rows: Any, background: Any) -> _Explain:
    import shap

    transform, last, owner = _split(model, rows)
    return _exact(shap.TreeExplainer(last), transform, owner, len(rows.columns))


def _linear(model: Any, rows: Any, background: Any) -> _Explain:
    import shap

    transform, last, owner = _split(model, rows)
    masker = shap.maskers.Independent(transform(background), max_samples=len(background))
    return _exact(shap.LinearExplainer(last, masker), transform, owner, len(rows.columns))


def _exact(explainer: Any, transform: Callable[[Any], Any], owner: list[int], inputs: int) -> _Explain:
    import numpy as np

    def explain(frame: Any) -> tuple[Any, Any]:
        found = explainer(transform(frame))
        values = np.asarray(found.values, dtype=float)
        values = values[:, :, None] if values.ndim == 2 else values
        base = np.asarray(found.base_values, dtype=float)
        base = np.broadcast_to(base.reshape(len(base) if base.ndim else 1, -1), (len(values), values.shape[2]))
        # What one input was made into adds up to what the input contributes.
        summed = np.zeros((len(values), inputs, values.shape[2]))
        for place, one in enumerate(owner):
            summed[:, one] += values[:, place]
        return summed, base

    return explain


def _split(model: Any, rows: Any) -> tuple[Callable[[Any], Any], Any, list[int]]:
    """(the steps before the last as a function, the last step, which input each of its columns was made of)."""
    columns = list(rows.columns)
    if not hasattr(model, "steps") or len(model.steps) < 2:
        last = model.steps[-1][1] if hasattr(model, "steps") else model
        return (lambda frame: frame), last, list(range(len(columns)))
    before = model[:-1]

    def transform(frame: Any) -> Any:
        made = before.transform(frame)
        return made.toarray() if hasattr(made, "toarray") else made

    names = [str(name) for name in before.get_feature_names_out()]
    return transform, model[-1], [_input_of(name, columns) for name in names]


def _input_of(name: str, columns: list[str]) -> int:
    """Which input the transformed column `name` was made of: "scale__age" of age, "words__region_north" of region."""
    bare = [name, name.partition("__")[2]]
    found = [c for c in columns if any(one == c or one.startswith(f"{c}_") for one in bare)]
    exact = [c for c in found if c in bare]
    if not found:
        raise ValueError(f"the transformed column {name!r} is made of no input by name")
    return columns.index(exact[0] if exact else max(found, key=len))


def _permutation(model: Any, told: dict[str, Any], rows: Any, background: Any) -> _Explain:
    """Cells are numbered, so that columns of any kind can be permuted; the model gets the cells."""
    import numpy as np
    import pandas as pd
    import shap

    both = pd.concat([background, rows], ignore_index=True)
    coded = {name: pd.factorize(both[name], use_na_sentinel=False) for name in both.columns}
    place = {name: dict(zip(_hashable(cells), range(len(cells)), strict=True)) for name, (_, cells) in coded.items()}

    def numbers(frame: Any) -> Any:
        found = [[place[name][cell] for cell in _hashable(frame[name])] for name in frame.columns]
        return np.array(found, dtype=float).T

    def answers(codes: Any) -> Any:
        cells = {name: coded[name][1].take(codes[:, at].astype(int)) for at, name in enumerate(both.columns)}
        frame = pd.DataFrame({name: pd.Series(one).astype(both[name].dtype) for name, one in cells.items()})
        if hasattr(model, "predict_proba"):
            return np.asarray(model.predict_proba(frame), dtype=float)
        return np.asarray(model.predict(frame), dtype=float).reshape(len(frame), -1)

    masker = shap.maskers.Independent(numbers(background), max_samples=len(background))
    explainer = shap.PermutationExplainer(answers, masker, seed=told["seed"])

    def explain(frame: Any) -> tuple[Any, Any]:
        # Made anew by the same seed, a row's values do not depend on which rows came before.
        parts = [_again(explainer, told["seed"])(numbers(frame.iloc[[row]]), silent=True) for row in range(len(frame))]
        values = np.concatenate([np.asarray(part.values, dtype=float) for part in parts])
        base = np.concatenate([np.asarray(part.base_values, dtype=float).reshape(1, -1) for part in parts])
        return (values[:, :, None] if values.ndim == 2 else values), base

    return explain


def _again(explainer: Any, seed: int) -> Any:
    import numpy as np

    np.random.seed(seed)  # shap draws its permutations from numpy's global generator
    return explainer


def _hashable(cells: Any) -> list[Any]:
    return ["nan" if cell is None or cell != cell else cell for cell in list(cells)]
