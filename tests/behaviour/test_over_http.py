"""Over HTTP 400 and 422 refuse, 200 with a right answer answers, and anything else breaks."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from pytest_mlgates.behaviour.over_http import asked
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports import Call, Said


@dataclass
class Reply:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})


@dataclass
class Endpoint:
    """Gives one reply, whatever is asked; `asked` are the rows."""

    reply: Reply | CouldNotEvaluate
    wire: str = 'mlflow {"nonzero": true}'
    asked: list[Any] = field(default_factory=list)

    def call_plain(self, columns: tuple[str, ...], values: list[list[Any]]) -> Call:
        self.asked.append((columns, values))
        return Call("http://nowhere", json.dumps(values).encode())

    def send(self, call: Call) -> Any:
        if isinstance(self.reply, CouldNotEvaluate):
            raise self.reply
        return self.reply


def predictions(*values: Any) -> Reply:
    return Reply(200, json.dumps({"predictions": values}).encode())


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (predictions(0.25), Said(values=[0.25])),
        (predictions(0.0), Said(values=[0.0])),
        (Reply(400, b'{"message": "no such region"}'), Said(refused="HTTP 400: no such region")),
        (Reply(422, b'{"detail": "age is missing"}'), Said(refused="HTTP 422: age is missing")),
        (Reply(500, b'{"message": "oops"}'), Said(broke="HTTP 500: oops")),
        (Reply(404, b""), Said(broke="HTTP 404")),
        (
            Reply(200, b'{"predictions": [NaN]}'),
            Said(broke="HTTP 200 with no right answer: row 0 is answered nan"),
        ),
        (
            predictions(0.1, 0.2),
            Said(broke="HTTP 200 with no right answer: 2 answers for 1 rows"),
        ),
        (
            Reply(200, b'{"error": "unknown code"}'),
            Said(broke="HTTP 200 with an error in it: unknown code"),
        ),
        (CouldNotEvaluate("no answer within 10 s"), Said(broke="no answer within 10 s")),
    ],
)
def test_what_a_reply_means(reply: Any, said: Said) -> None:
    assert asked(Endpoint(reply), [[{"age": 30}]]) == [said]


def test_cells_go_to_their_column_whatever_the_order_of_keys() -> None:
    endpoint = Endpoint(predictions(0.1, 0.2))
    asked(endpoint, [[{"age": 30, "code": 1}, {"code": 2, "age": 40}]])
    assert endpoint.asked == [(("age", "code"), [[30, 1], [40, 2]])]


def test_each_frame_is_a_request_with_its_own_columns() -> None:
    endpoint = Endpoint(predictions(0.5))
    asked(endpoint, [[{"age": 30, "code": None}], [{"code": "x"}]])
    assert endpoint.asked == [(("age", "code"), [[30, None]]), (("code",), [["x"]])]
