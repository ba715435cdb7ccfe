"""Which answers under load are wrong, and what they are called."""

from __future__ import annotations

import json

import pytest

from pytest_mlgates.adapters.load.answers import Answers, differs
from pytest_mlgates.ports import Call, LoadTarget

HEADERS = {"Content-Type": "application/json"}


def fault(predictions: object, alone: tuple[list[object], ...] = ([0.25, "b"],), status: int = 200) -> str:
    target = LoadTarget("challenger", (Call("", b""),), 2, "mlflow", alone)
    body = json.dumps({"predictions": predictions}).encode()
    return Answers(target).fault(0, status, HEADERS, body)


def test_the_answer_given_alone_is_right() -> None:
    assert fault([0.25, "b"]) == ""
    assert fault([0.25 * (1 + 5e-5), "b"]) == ""


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ([0.26, "b"], "the answer is another one than when asked alone"),
        ([0.25, "c"], "the answer is another one than when asked alone"),
        ([0.25], "1 answers for 2 rows"),
        ([float("nan"), "b"], "row 0 is answered nan"),
    ],
)
def test_any_other_is_wrong(said: list[object], wrong: str) -> None:
    assert fault(said) == wrong


def test_a_status_is_its_own_kind_whatever_the_body_says() -> None:
    assert fault([0.25, "b"], status=503) == "HTTP 503"
    assert fault([0.25, "b"], status=204) == "HTTP 204"


def test_zeros_are_named_unless_they_are_right() -> None:
    assert differs([0, 0.0], [0.5, 0.5]) == "the answer is all zeros, which it is not when asked alone"
    assert differs([[0.0, 0.0]], [[0.4, 0.6]]) == "the answer is all zeros, which it is not when asked alone"
    assert differs([0, 0], [0, 0]) == ""
    assert differs([], [0.5]) == "the answer is another one than when asked alone"


def test_where_nothing_is_known_the_protocol_alone_decides() -> None:
    assert fault([0.9, 0.1], alone=()) == ""
    assert fault([0.9], alone=()) == "1 answers for 2 rows"
