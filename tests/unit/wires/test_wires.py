"""How each protocol asks and reads, without a server: `tests/serving` has those."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.wires import WIRES, by_name

JSON = {"Content-Type": "application/json"}
EVENTS = {"Content-Type": "text/event-stream; charset=utf-8"}
SPECS = ["mlflow", 'kserve {"model": "m"}', "json", "sse"]


def asked(spec: str, rows: list[list[Any]], columns: tuple[str, ...] = ("a", "b")) -> tuple[str, Any]:
    call = by_name(spec).call("http://host:1/base/", columns, rows)
    return call.url.removeprefix("http://host:1/base"), json.loads(call.body)


def read(spec: str, body: Any, rows: int = 2, headers: dict[str, str] = JSON) -> Any:
    return by_name(spec).read(200, headers, body if isinstance(body, bytes) else json.dumps(body).encode(), rows)


def refusal(spec: str, body: Any, rows: int = 2, headers: dict[str, str] = JSON, status: int = 200) -> str:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(CouldNotEvaluate) as raised:
        by_name(spec).read(status, headers, data, rows)
    return str(raised.value)


# Asking.


def test_what_each_protocol_asks() -> None:
    rows = [[1, 2.5], [3, None]]
    assert asked("mlflow", rows) == (
        "/invocations",
        {"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2.5], [3, None]]}},
    )
    assert asked("json", rows) == ("/predict", {"input_data": [{"a": 1, "b": 2.5}, {"a": 3, "b": None}]})
    path, tensors = asked('kserve {"model": "m"}', [[1, "u"], [2, "v"]])
    assert path == "/v2/models/m/infer"
    assert tensors["inputs"] == [
        {"name": "a", "shape": [2, 1], "datatype": "INT64", "data": [1, 2]},
        {"name": "b", "shape": [2, 1], "datatype": "BYTES", "data": ["u", "v"]},
    ]
    _, tensors = asked('kserve {"model": "m", "input": "x", "datatype": "FP32"}', [[1, 2.5]])
    assert tensors["inputs"] == [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 2.5]}]
    assert asked("sse", [[1, 2.5]]) == ("/v1/completions", {"prompt": [1, 2.5], "stream": True})


def test_templates_are_filled_once_so_that_data_cannot_name_a_place() -> None:
    spec = 'json {"path": "/x", "template": "{\\"c\\": {columns}, \\"r\\": {rows}, \\"one\\": {record}}"}'
    assert asked(spec, [["{rows}", "{row}"]]) == (
        "/x",
        {"c": ["a", "b"], "r": [["{rows}", "{row}"]], "one": {"a": "{rows}", "b": "{row}"}},
    )


def test_a_base_that_names_the_path_already_is_left_alone() -> None:
    call = by_name("mlflow").call("http://host/serving/invocations", ("a",), [[1]])
    assert call.url == "http://host/serving/invocations"


@pytest.mark.parametrize(
    ("spec", "rows", "sentence"),
    [
        (
            'kserve {"model": "m"}',
            [[1, None], [2, 3.0]],
            "KServe v2 tensors have no missing values, and 'b' has some in the rows asked",
        ),
        (
            'kserve {"model": "m", "input": "x"}',
            [[1, "u"]],
            "the tensor 'x' would hold values of several kinds: ask a tensor a column",
        ),
        ("sse", [[1, 2], [3, 4]], "the template takes one row a request, not 2"),
    ],
)
def test_what_a_protocol_cannot_carry(spec: str, rows: list[list[Any]], sentence: str) -> None:
    with pytest.raises(CouldNotEvaluate) as raised:
        by_name(spec).call("http://host", ("a", "b"), rows)
    assert str(raised.value) == sentence


# Reading.


@pytest.mark.parametrize(
    ("spec", "body", "answer"),
    [
        ("mlflow", {"predictions": [0.5, 1]}, [0.5, 1]),
        ("mlflow", {"predictions": [[0.5, 0.5], [0.1, 0.9]]}, [[0.5, 0.5], [0.1, 0.9]]),
        ("mlflow", {"predictions": [{"no": 0.5, "yes": 0.5}, {"no": 0.1, "yes": 0.9}]}, [[0.5, 0.5], [0.1, 0.9]]),
        ("mlflow", {"predictions": ["good", "bad"]}, ["good", "bad"]),
        ('kserve {"model": "m"}', {"outputs": [{"name": "p", "shape": [2], "data": [1, 2]}]}, [1, 2]),
        ('kserve {"model": "m"}', {"outputs": [{"name": "p", "shape": [2, 1], "data": [[1], [2]]}]}, [1, 2]),
        (
            'kserve {"model": "m", "answer": "q"}',
            {"outputs": [{"name": "p"}, {"name": "q", "shape": [2, 2], "data": [1, 2, 3, 4]}]},
            [[1, 2], [3, 4]],
        ),
        ("json", [0.5, 0.25], [0.5, 0.25]),
        ('json {"answer": "result.0.scores"}', {"result": [{"scores": [1, 2]}]}, [1, 2]),
        ('json {"answer": "items.*.score"}', {"items": [{"score": 1}, {"score": 2}]}, [1, 2]),
    ],
)
def test_right_answers_are_read(spec: str, body: Any, answer: list[Any]) -> None:
    assert read(spec, body) == answer


def test_a_single_row_may_be_answered_by_a_single_value() -> None:
    assert read('json {"template": "{record}", "answer": "score"}', {"score": 0.5}, rows=1) == [0.5]


def test_a_stream_is_read_token_by_token() -> None:
    first = b': hi\r\n\r\ndata: {"choices": [{"text": "goo"}]}\r\n\r\n'
    rest = b'data: {"choices": [{"text": "d"}]}\r\n\r\ndata: [DONE]\r\n\r\n'
    wire = by_name("sse")
    assert wire.call("http://host", ("a",), [[1]]).streamed
    assert [wire.begun(first[:length]) for length in (0, 10, len(first) - 1, len(first))] == [False, False, False, True]
    assert wire.read(200, EVENTS, first + rest, 1) == ["good"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'data: {"choices": [{"text": "goo"}]}\n\n', "the stream was cut off after 1 events: no '[DONE]' at its end"),
        (b"", "the stream was cut off after 0 events: no '[DONE]' at its end"),
        (b"data: [DONE]\n\n", "the stream of 1 events holds no token"),
        (b'event: error\ndata: {"message": "no memory"}\n\ndata: [DONE]\n\n', "the stream says error: no memory"),
        (b'data: {"error": "no memory"}\n\ndata: [DONE]\n\n', "HTTP 200 with an error in it: no memory"),
    ],
)
def test_a_stream_that_is_no_answer(body: bytes, sentence: str) -> None:
    assert refusal("sse", body, 1, EVENTS) == sentence


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize(
    ("status", "headers", "body", "sentence"),
    [
        (503, JSON, {"error": "too busy"}, "HTTP 503: too busy"),
        (500, {}, b"<html><style>x</style><b>Oops</b></html>", "HTTP 500: Oops"),
        (404, JSON, b"", "HTTP 404"),
        (201, JSON, [0.5], "HTTP 201: [0.5]"),
        (302, {"Location": "/login"}, b"", "HTTP 302, a redirect to /login: give the URL that answers itself"),
    ],
)
def test_every_protocol_refuses_another_status(
    spec: str, status: int, headers: dict[str, str], body: Any, sentence: str
) -> None:
    assert refusal(spec, body, 1, headers, status) == sentence


@pytest.mark.parametrize("spec", SPECS)
def test_every_protocol_refuses_another_content_type(spec: str) -> None:
    kind = "text/event-stream" if spec == "sse" else "application/json"
    assert refusal(spec, b"hello", 1, {"content-type": "text/plain"}) == (
        f"the content type is text/plain, not {kind}: hello"
    )
    assert refusal(spec, b"", 1, {}) == f"the content type is not given, not {kind}"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ([0.5], "1 answers for 2 rows"),
        ([0.5, None], "row 1 is answered null"),
        ([0.5, [0.5]], "the rows are answered in different shapes"),
        ([[], []], "the rows are answered in different shapes"),
        ([[1], [1, 2]], "the rows are answered in different shapes"),
        ([0.5, math.nan], "row 1 is answered nan"),
        ([-math.inf, 0.5], "row 0 is answered -inf"),
        (["NaN", "good"], "row 0 is answered 'NaN'"),
        ([[[1]], [[2]]], "row 0 is answered by a list"),
        ("good", "the answer is text, not a list with a value a row"),
        ({"a": 1}, "the answer is an object with 'a', not a list with a value a row"),
    ],
)
def test_wrong_values_are_refused(values: Any, sentence: str) -> None:
    assert refusal("mlflow", {"predictions": values}) == sentence
    assert refusal("json", values) == sentence


@pytest.mark.parametrize(
    ("outputs", "sentence"),
    [
        ([{"name": "p", "shape": [3], "data": [1, 2, 3]}], "3 answers for 2 rows"),
        ([{"name": "p", "shape": [2], "data": [1]}], "the output tensor of shape [2] holds 1 values"),
        ([{"name": "p", "shape": [2]}], "the output tensor lacks its shape or its data"),
        ([{"name": "p"}, {"name": "q"}], "the answer has the outputs p, q: choose one with `answer`"),
        ([], 'the answer has no "outputs", which a KServe v2 server gives'),
        ([{"name": "p", "shape": [2], "data": [1, math.nan]}], "row 1 is answered nan"),
    ],
)
def test_wrong_tensors_are_refused(outputs: Any, sentence: str) -> None:
    assert refusal('kserve {"model": "m"}', {"outputs": outputs}) == sentence


def test_a_way_that_leads_nowhere_says_what_is_there() -> None:
    said = refusal('json {"answer": "result.scores"}', {"result": {"score": [1, 2]}})
    assert said == "the answer has no 'result.scores': at 'scores' there is keys 'score'"


@pytest.mark.parametrize("spec", ['mlflow {"nonzero": true}', 'json {"nonzero": true, "answer": "predictions"}'])
def test_zeros_only_are_refused_where_no_right_answer_is_zero(spec: str) -> None:
    assert read(spec, {"predictions": [0.0, 0.1]}) == [0.0, 0.1]
    assert read(spec.replace("true", "false"), {"predictions": [0.0, 0.0]}) == [0.0, 0.0]
    said = refusal(spec, {"predictions": [0.0, 0]})
    assert said == "all 2 values are 0, as no golden row is answered: filled in, not scored"


@given(st.binary(max_size=60), st.sampled_from(SPECS), st.integers(0, 599))
def test_no_answer_whatsoever_raises_anything_else(body: bytes, spec: str, status: int) -> None:
    for headers in (JSON, EVENTS, {}):
        try:
            answer = by_name(spec).read(status, headers, body, 1)
        except CouldNotEvaluate:
            continue
        assert len(answer) == 1


values = st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=3), lambda v: st.lists(v, max_size=3))


@given(values)
def test_what_is_read_has_a_finite_value_a_row(found: Any) -> None:
    try:
        answer = read("json", found, rows=2)
    except CouldNotEvaluate:
        return
    flat = [one for row in answer for one in (row if isinstance(row, list) else [row])]
    assert len(answer) == 2
    assert flat
    assert all(isinstance(one, (bool, int, str)) or math.isfinite(one) for one in flat)


# Names.


@pytest.mark.parametrize("spec", [*SPECS, 'sse {"end": ""}', 'mlflow {"nonzero": true}'])
def test_a_spec_gives_the_same_wire_back(spec: str) -> None:
    assert by_name(by_name(spec).spec) == by_name(spec)


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("mlflw", "unknown wire 'mlflw': did you mean 'mlflow'?"),
        ("grpc", "unknown wire 'grpc': known here: json, kserve, mlflow, sse"),
        ('json {"pth": "/x"}', "the wire 'json' has no option 'pth': did you mean 'path'?"),
        ('json {"path": 1}', "the option 'path' of the wire 'json' must be text in quotes, not 1"),
        ("json [1]", "the options of the wire 'json' must be a JSON object, not '[1]'"),
        ("json {", "the options of the wire 'json' must be a JSON object, not '{'"),
        ("kserve", "the wire 'kserve' needs the server's name of the model: model = \"NAME\""),
        (
            'json {"template": "{columns}"}',
            "the template of the wire 'json' must be JSON with {records}, {rows}, {record} or {row} in it, not "
            "'{columns}'",
        ),
        (
            'json {"template": "{rows"}',
            "the template of the wire 'json' must be JSON with {records}, {rows}, {record} or {row} in it, not '{rows'",
        ),
    ],
)
def test_a_wrong_spec_is_one_sentence(spec: str, sentence: str) -> None:
    with pytest.raises(UsageError) as raised:
        by_name(spec)
    assert str(raised.value) == sentence


def test_every_wire_is_found_by_its_own_name() -> None:
    assert all(name == kind.NAME for name, kind in WIRES.items())


def test_wires_import_the_standard_library_only() -> None:
    """A load generator and a readiness command start with them."""
    code = "import sys, pytest_mlgates.wires; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "pandas", "pydantic", "mlflow", "pytest", "requests", "ssl"} & set(loaded)
