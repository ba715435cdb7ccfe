"""What generator and parent say to each other survives the way, whole or in pieces."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_mlgates.adapters.load.frames import (
    RECORD,
    Records,
    frames,
    note,
    plan_as_text,
    plan_from_text,
    records,
)
from pytest_mlgates.adapters.load.tape import Tape
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports import Call, LoadPlan, LoadTarget

calls = st.builds(
    Call,
    url=st.text(),
    body=st.binary(),
    headers=st.dictionaries(st.text(), st.text()),
    method=st.sampled_from(["POST", "GET"]),
    streamed=st.booleans(),
)
values = st.one_of(st.floats(allow_nan=False), st.text(), st.booleans(), st.lists(st.floats(allow_nan=False)))
targets = st.builds(
    LoadTarget,
    name=st.text(),
    calls=st.lists(calls, min_size=1, max_size=3).map(tuple),
    rows=st.integers(1, 9),
    wire=st.text(),
    answers=st.lists(st.lists(values, max_size=3), max_size=3).map(tuple),
    verify_tls=st.booleans(),
    ca=st.text(),
)
plans = st.builds(LoadPlan, targets=st.lists(targets, max_size=3).map(tuple), rate=st.floats(1, 9), seed=st.integers())


@given(plans)
def test_a_plan_is_read_as_it_was_written(plan: LoadPlan) -> None:
    assert plan_from_text(plan_as_text(plan)) == plan


@given(st.lists(st.one_of(st.builds(Records, st.integers(0, 9), *[st.floats(0, 9)] * 3, st.binary()), st.text())))
def test_frames_are_read_whole_and_none_before_it_is_complete(said: list[Records | str]) -> None:
    written = [records(one) if isinstance(one, Records) else note(text=one) for one in said]
    tape = b"".join(written)
    expected = [one if isinstance(one, Records) else {"text": one} for one in said]
    for cut in {0, len(tape) // 3, len(tape) // 2, max(len(tape) - 1, 0), len(tape)}:
        whole = sum(len(b"".join(written[: n + 1])) <= cut for n in range(len(written)))
        assert [frame for _, frame in frames(tape[:cut])] == expected[:whole]


PLAN = LoadPlan(tuple(LoadTarget(name, (Call("", b""),), 1, "mlflow") for name in ("a", "b")), rate=10, warm_up=1.0)


@pytest.fixture
def written() -> tuple[int, Tape]:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the last reference
    tape = Tape(file.fileno(), PLAN, workers=2)
    tape.file = file  # type: ignore[attr-defined]
    return file.fileno(), tape


def packed(*rows: tuple[int, int, float, float]) -> bytes:
    return b"".join(RECORD.pack(target, fault, due, due, done) for target, fault, due, done in rows)


def test_samples_of_two_workers_are_one_in_order_of_due_time(written: tuple[int, Tape]) -> None:
    fd, tape = written
    os.write(fd, note(worker=0, began=5.0) + note(worker=1, began=6.0) + note(worker=1, fault=1, text="HTTP 503"))
    os.write(fd, records(Records(0, 4.0, 4.1, 0.1, packed((0, 0, 0.5, 1), (0, 0, 3, 3.5), (1, 0, 2, 2.5)))))
    os.write(fd, records(Records(1, 3.5, 4.1, 0.1, packed((0, 1, 2, 2.1), (0, 0, 3.7, 3.8)))))
    tape.advance()
    assert (tape.began, tape.complete_until()) == (6.0, 3.5)
    found = tape.samples(100)
    assert found["a"].due.tolist() == [2.0, 3.0]
    assert found["a"].fault.tolist() == ["HTTP 503", ""]
    assert found["b"].done.tolist() == [2.5]
    assert tape.samples(1)["a"].due.tolist() == [2.0]


def test_what_one_worker_has_not_said_yet_is_waited_for(written: tuple[int, Tape]) -> None:
    fd, tape = written
    os.write(fd, note(worker=0, began=5.0) + records(Records(0, 9.0, 9.0, 0.1, packed((0, 0, 2, 3)))))
    tape.advance()
    assert (tape.began, tape.complete_until()) == (0.0, 0.0)
    assert len(tape.samples(100)["a"].due) == 0


def test_the_busiest_worker_counts(written: tuple[int, Tape]) -> None:
    fd, tape = written
    for worker, share in ((0, 0.2), (1, 0.9)):
        for at in (0.5, 1.5, 2.5):
            os.write(fd, records(Records(worker, at, at, 7 + share * at, b"")))
    tape.advance()
    assert tape.cpu_share() == pytest.approx(0.9)


def test_trouble_stays_trouble(written: tuple[int, Tape]) -> None:
    fd, tape = written
    os.write(fd, note(worker=0, trouble="out of files"))
    for _ in range(2):
        with pytest.raises(CouldNotEvaluate, match="load could not be made: out of files"):
            tape.advance()


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 0), st.floats(0, 50), st.floats(0, 50)), max_size=60))
def test_nothing_after_the_oldest_open_request_is_handed_out(rows: list[tuple[int, int, float, float]]) -> None:
    with tempfile.TemporaryFile() as file:
        tape = Tape(file.fileno(), PLAN, workers=1)
        os.write(file.fileno(), records(Records(0, 30.0, 30.0, 0.0, packed(*rows))))
        tape.advance()
        for number, one in enumerate(tape.samples(1000).values()):
            due = sorted(row[2] for row in rows if row[0] == number and 1.0 <= row[2] < 30.0)
            assert np.array_equal(one.due, due)


def test_the_generators_side_needs_nothing_but_the_standard_library() -> None:
    import subprocess
    import sys

    heavy = ["numpy", "pandas", "mlflow", "pydantic", "pytest"]
    code = f"""
import sys
import pytest_mlgates.adapters.load.frames, pytest_mlgates.adapters.load.arrivals, pytest_mlgates.adapters.load.answers
print([name for name in {heavy!r} if name in sys.modules])
"""
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "[]"
