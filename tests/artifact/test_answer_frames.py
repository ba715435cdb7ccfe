"""What a model's process sends may be anything: it becomes an answer, or a sentence, in bounded time and memory."""

from __future__ import annotations

import io
import json
import socket
import struct
import tempfile
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_mlgates.adapters.scoring.answer_frames import OutOfForm, as_answer, plain_words, received
from pytest_mlgates.adapters.scoring.child.frames import Channel, receive
from pytest_mlgates.adapters.scoring.child_model import ChildModel
from pytest_mlgates.errors import CouldNotEvaluate, ModelGone
from pytest_mlgates.ports import Attempt

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


@settings(max_examples=200)
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
            received(mine, 1 << 40, [].append)
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


SOCKET = {"what": "to open a socket", "protection": "network", "held": True}
SHADOW = {"what": "to read /etc/shadow", "protection": "reading", "held": False}
NETWORK, READING = Attempt("network", "to open a socket"), Attempt("reading", "to read /etc/shadow", held=False)


def test_attempts_come_before_the_answer_and_are_kept_with_it(pair: tuple[ChildModel, socket.socket, Ended]) -> None:
    model, theirs, _ = pair
    theirs.sendall(frame({"attempt": SOCKET}) + frame(SAID, npy([1])))
    assert model.answer().tried == (NETWORK,)
    theirs.sendall(frame({"attempt": SHADOW}) + frame({"attempt": SOCKET}) + frame(SAID, npy([1])))
    assert model.answer().tried == model.tried == (NETWORK, READING)


def test_attempts_of_a_process_that_died_are_known(pair: tuple[ChildModel, socket.socket, Ended]) -> None:
    model, theirs, _ = pair
    theirs.sendall(frame({"attempt": SHADOW}))
    theirs.close()
    with pytest.raises(ModelGone):
        model.answer()
    assert model.tried == (READING,)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ([frame({"attempt": SOCKET})] * 22, "v2 gave what is no answer: it tells of more than 20 attempts"),
        ([frame({"attempt": 1})], "v2 gave what is no answer: what it tells of is no attempt"),
        ([frame({"attempt": {**SOCKET, "protection": "x"}})], "v2 gave what is no answer: what it tells of is no"),
    ],
)
def test_attempts_without_end_or_form(
    pair: tuple[ChildModel, socket.socket, Ended], said: list[bytes], sentence: str
) -> None:
    model, theirs, _ = pair
    theirs.sendall(b"".join(said) + frame(SAID, npy([1])))
    with pytest.raises(ModelGone, match=sentence):
        model.answer()


def test_words_of_an_attempt_are_one_plain_line(pair: tuple[ChildModel, socket.socket, Ended]) -> None:
    model, theirs, _ = pair
    theirs.sendall(frame({"attempt": {**SOCKET, "what": "to\n::error::x\x1b[2J"}}) + frame(SAID, npy([1])))
    assert model.answer().tried == (Attempt("network", "to ::error::x [2J"),)


def test_an_attempt_in_the_middle_of_an_answer_is_told_after_it() -> None:
    """A thread of the model may try something while a frame is half sent; no frame is torn by it."""
    mine, theirs = socket.socketpair()
    with mine, theirs:
        channel = Channel(theirs)
        channel._lock.acquire()
        channel.tried(SOCKET)
        channel._lock.release()
        channel.answer(SAID, b"x")
        assert receive(mine) == ({"attempt": SOCKET}, b"")
        assert receive(mine) == (SAID, b"x")
        mine.close()
        channel.tried(SHADOW)  # who hung up is not told


def test_a_log_without_end_is_read_from_its_end(pair: tuple[ChildModel, socket.socket, Ended]) -> None:
    model, theirs, _ = pair
    model._log.seek(1 << 33)  # sparse
    model._log.write(b"the end\n")
    model._log.flush()
    theirs.close()
    with pytest.raises(ModelGone, match="its process ended with exit code 0; its last words: the end"):
        model.answer()
