"""What a model's process sends may be anything: it becomes an answer, or a sentence, in bounded time and memory."""

from __future__ import annotations

import io
import json
import socket
import struct
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlgates.adapters.scoring.answer_frames import OutOfForm, as_answer, plain_words, received
from pytest_mlgates.adapters.scoring.child_model import ChildModel, RefusedAttempt
from pytest_mlgates.errors import CouldNotEvaluate, ModelGone

SAID = {"method": "predict", "flavour": "sklearn", "classes": [0, 1]}


class Ended:
    """Stands for the process; says whether it was ended."""

    killed = False

    def end_of(self) -> int | None:
        return 0

    def kill(self) -> None:
        self.killed = True


@pytest.fixture
def pair() -> Iterator[tuple[ChildModel, socket.socket, Ended]]:
    mine, theirs = socket.socketpair()
    mine.settimeout(5)
    process = Ended()
    with mine, theirs, tempfile.TemporaryFile() as log:
        yield ChildModel("v2", mine, log, process), theirs, process


def npy(values: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.asarray(values))
    return stream.getvalue()


def frame(header: Any, payload: bytes = b"") -> bytes:
    words = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack(">QQ", len(words), len(payload)) + words + payload


def test_an_answer(pair: tuple[ChildModel, socket.socket, Ended]) -> None:
    model, theirs, process = pair
    theirs.sendall(frame(SAID, npy([1, 0])))
    assert model.answer().values.tolist() == [1, 0]
    assert not process.killed


HUGE = (
    b"\x93NUMPY\x01\x00v\x00"
    + b"{'descr': '<f8', 'fortran_order': False, 'shape': (999999999999,), }".ljust(117)
    + b"\n"
)


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        (struct.pack(">QQ", 1, 1 << 62), "v2 gave what is no answer: it announces "),
        (struct.pack(">QQ", 1 << 40, 0), "v2 gave what is no answer: it announces "),
        (frame(b"no json"), "v2 gave what is no answer: Expecting value"),
        (frame(b"[" * 100_000), "v2 gave what is no answer: "),
        (frame([1]), "v2 gave what is no answer: its header is no table"),
        (frame({}), "v2 gave what is no answer: its array cannot be read"),
        (frame(SAID, b"PK\x03\x04"), "v2 gave what is no answer: its array cannot be read"),
        (frame(SAID, npy([1]) + b"x"), "v2 gave what is no answer: something follows after its array"),
        (frame(SAID, npy([1.5] * 100)[:-8]), "v2 gave what is no answer: its array cannot be read"),
        (frame(SAID, HUGE), "v2 gave what is no answer: its array cannot be read"),
        (frame({**SAID, "classes": [[0]]}, npy([1])), "v2 gave what is no answer: its classes are no list of labels"),
        (frame({**SAID, "classes": None}, npy([1])), "v2 gave what is no answer: its classes are no list of labels"),
        (frame({**SAID, "method": "promote"}, npy([1])), "v2 gave what is no answer: it does not say what was called"),
        (frame({"flavour": 1}, npy([1])), "v2 gave what is no answer: it does not say what was called"),
    ],
)
def test_what_is_no_answer(pair: tuple[ChildModel, socket.socket, Ended], sent: bytes, sentence: str) -> None:
    """And who sends it once is not asked again."""
    model, theirs, process = pair
    theirs.sendall(sent)
    with pytest.raises(ModelGone) as trouble:
        model.answer()
    assert str(trouble.value).startswith(sentence)
    assert process.killed


def test_objects_are_never_unpickled(pair: tuple[ChildModel, socket.socket, Ended]) -> None:
    model, theirs, _ = pair
    stream = io.BytesIO()
    np.save(stream, np.array([{}], dtype=object), allow_pickle=True)
    theirs.sendall(frame(SAID, stream.getvalue()))
    with pytest.raises(CouldNotEvaluate, match="v2 gave what is no answer: its array cannot be read: Object arrays"):
        model.answer()


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.sampled_from([*SAID, "error", "tried"]), st.none() | st.text() | st.lists(st.integers())),
    st.binary(),
)
def test_any_header_and_payload_are_read_to_an_answer_or_a_refusal(header: dict[str, Any], payload: bytes) -> None:
    try:
        as_answer(header, payload)
    except OutOfForm:
        return


def test_an_answer_byte_by_byte_does_not_outlast_the_limit() -> None:
    mine, theirs = socket.socketpair()
    stop = threading.Event()

    def drip() -> None:
        with theirs:
            while not stop.wait(0.05):
                theirs.sendall(b"\0")

    mine.settimeout(0.5)
    dripping = threading.Thread(target=drip)
    dripping.start()
    started = time.monotonic()
    try:
        with mine, pytest.raises(TimeoutError):
            received(mine, 1 << 40)
    finally:
        stop.set()
        dripping.join()
    assert time.monotonic() - started < 5


def test_words_of_a_model_are_one_plain_line(pair: tuple[ChildModel, socket.socket, Ended]) -> None:
    """No terminal is written to, and no line of a log begins with them."""
    model, theirs, _ = pair
    theirs.sendall(frame({"error": "x\n::error::promote\x1b[2J\r" + "y" * 10_000}))
    with pytest.raises(CouldNotEvaluate) as trouble:
        model.answer()
    assert str(trouble.value).startswith("v2 raised x ::error::promote [2J yyy")
    assert len(str(trouble.value)) < 600


@given(st.text())
def test_plain_words(text: str) -> None:
    assert plain_words(text).isprintable()


def test_a_module_that_is_not_there_is_named(pair: tuple[ChildModel, socket.socket, Ended]) -> None:
    model, theirs, _ = pair
    theirs.sendall(frame({"error": "ModuleNotFoundError: No module named 'xgboost'", "absent": "xgboost"}))
    with pytest.raises(CouldNotEvaluate) as trouble:
        model.answer()
    assert str(trouble.value) == (
        "v2 needs xgboost, which the environment that scores it lacks: install it, or let every model be scored in the "
        'environment it was trained in: scoring_env = "lock"'
    )


def test_attempts_are_said_once(pair: tuple[ChildModel, socket.socket, Ended]) -> None:
    model, theirs, _ = pair
    for tried in (["to open a socket"], ["to open a socket", "to read /etc/shadow"]):
        theirs.sendall(frame({**SAID, "tried": tried}, npy([1])))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model.answer()
        model.answer()
    assert [str(one.message) for one in said if one.category is RefusedAttempt] == [
        "v2 tried to open a socket: refused",
        "v2 tried to read /etc/shadow: refused",
    ]


def test_a_log_without_end_is_read_from_its_end(pair: tuple[ChildModel, socket.socket, Ended]) -> None:
    model, theirs, _ = pair
    model._log.seek(1 << 33)  # sparse
    model._log.write(b"the end\n")
    model._log.flush()
    theirs.close()
    with pytest.raises(ModelGone, match="its process ended with exit code 0; its last words: the end"):
        model.answer()
