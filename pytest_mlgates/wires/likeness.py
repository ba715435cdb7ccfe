"""Whether an endpoint answers what the model itself does: labels compared with labels, scores with scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pytest_mlgates.errors import CouldNotEvaluate

#: Below this a value is compared by its distance: nobody's score is right to 0.01 % of nothing.
_SMALL = 1e-6
#: What a model can answer the same rows: ("labels" or "scores", one value or list of values a row).
Kinds = Sequence[tuple[str, Sequence[Any]]]


def closest(found: Sequence[Any], kinds: Kinds, name: str) -> tuple[str, list[float]]:
    """(kind, relative deviation a row) for the kind of output that `found` is nearest to; a wrong label deviates by 1,
    and what is not a number infinitely.

    Raises CouldNotEvaluate, naming `name`, when no kind has as many values a row.
    """
    fitting = [(kind, one) for kind, one in kinds if _width(one) == _width(found) and len(one) == len(found)]
    if not fitting:
        known = " or ".join(f"{kind} ({_values(_width(one))})" for kind, one in kinds) or "nothing"
        raise CouldNotEvaluate(f"{name} answers {_values(_width(found))} a row, the model itself gives {known}")
    # A wrong score is no wrong label: what looks like labels is compared with labels, where there are some.
    fitting = [pair for pair in fitting if pair[0] == ("labels" if _whole(found) else "scores")] or fitting
    compared = [
        (kind, [_deviation(a, e, kind == "labels") for a, e in zip(found, one, strict=True)]) for kind, one in fitting
    ]
    return min(compared, key=lambda pair: (sum(d > 0.01 for d in pair[1]), sum(pair[1])))


def declared(kinds: Kinds, output: str, name: str) -> Kinds:
    """Those of `kinds` that `output` allows ("auto": all). Raises CouldNotEvaluate when the model has none."""
    kept = [pair for pair in kinds if output in ("auto", pair[0])]
    if not kept:
        has = " and ".join(sorted({kind for kind, _ in kinds})) or "nothing"
        raise CouldNotEvaluate(f'output = "{output}" is declared for {name}, but the model itself gives {has} only')
    return kept


def _deviation(found: Any, expected: Any, label: bool) -> float:
    if isinstance(expected, list) or isinstance(found, list):
        pairs = zip(_listed(found), _listed(expected), strict=True)
        return max(_deviation(a, e, label) for a, e in pairs)
    if isinstance(found, str) or isinstance(expected, str):
        # A protocol of texts, as a stream of tokens is, writes numbers as texts.
        number = None if isinstance(expected, str) else _number(found)
        if number is None:
            return float(str(found) != str(expected))
        found = number
    if label:
        return float(found != expected)
    deviation = abs(float(found) - float(expected)) / max(abs(float(expected)), _SMALL)
    # What is no number is near nothing; as NaN it would be greater than no tolerance.
    return math.inf if math.isnan(deviation) else deviation


def _whole(values: Sequence[Any]) -> bool:
    """Whether these are labels to the eye: texts, or whole numbers only."""
    flat = [one for value in values for one in _listed(value)]
    numbers = [_number(one) if isinstance(one, str) else one for one in flat]
    return all(number is None or number == int(number) for number in numbers)


def _number(text: Any) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _width(values: Sequence[Any]) -> int:
    return len(_listed(values[0])) if len(values) else 0


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _values(width: int) -> str:
    return "1 value" if width == 1 else f"{width} values"
