"""A model in a child process, as the gates speak with it. What it sends is a stranger's."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import IO, Any, Protocol

from pytest_mlgates.adapters.scoring.answer_frames import OutOfForm, as_answer, as_classes, plain_words, received
from pytest_mlgates.adapters.scoring.child.frames import send
from pytest_mlgates.adapters.scoring.isolation.noted import MOST
from pytest_mlgates.adapters.scoring.rows import packed
from pytest_mlgates.errors import CouldNotEvaluate, ModelGone
from pytest_mlgates.ports import Answer, Attempt, Method, Rows, Said, Told

#: Plain data beside what the rows need: explanations, class names.
_PLENTY, _A_ROW = 256 << 20, 64 << 10
_LAST_WORDS, _LINE = 16 << 10, 1000
_LACKS = 'install it, or let every model be scored in the environment it was trained in: scoring_env = "lock"'


class Process(Protocol):
    """What a model runs in."""

    def end_of(self) -> int | None:
        """Waits for it and gives its exit code, minus the signal's number when killed; None where nobody knows."""

    def kill(self) -> None:
        """Ends it without waiting."""


class ChildModel:
    """`arrow`: whether its environment reads Arrow; `lacks`: what to do about a module that it does not have."""

    def __init__(
        self,
        name: str,
        wire: socket.socket,
        log: IO[bytes],
        process: Process,
        *,
        arrow: bool = True,
        lacks: str = _LACKS,
    ) -> None:
        self.name = name
        self._wire, self._log, self._process = wire, log, process
        self._arrow, self._lacks = arrow, lacks
        self._most = _PLENTY
        self._tried: dict[Attempt, None] = {}

    @property
    def tried(self) -> tuple[Attempt, ...]:
        """In the order in which it was tried; what its process told, and that process is the model's."""
        return tuple(self._tried)

    def start(self, method: Method, rows: Any) -> None:
        kind, payload = packed(rows, arrow=self._arrow)
        self._most = _PLENTY + _A_ROW * len(rows)
        with self._sending():
            send(self._wire, {"method": method, "rows": kind}, payload)

    def answer(self) -> Answer:
        """Raises CouldNotEvaluate when the model raises, answers out of form, dies, or is silent for too long."""
        header, payload = self._received()
        with self._in_form():
            return replace(as_answer(header, payload), tried=self.tried)

    def ask(self, method: Method, asks: Sequence[Rows], dtypes: Mapping[str, str], within: float) -> Told:
        header, payload = self._exchange({"method": method, "rows": "asks"}, {"asks": asks, "dtypes": dtypes}, within)
        with self._in_form():
            said = [Said(**one) for one in json.loads(payload)]
            if len(said) != len(asks):
                raise OutOfForm(f"{len(said)} answers to {len(asks)} questions")
            return Told(said, as_classes(header.get("classes")))

    def about(self, question: Mapping[str, Any], told: Mapping[str, Any], within: float) -> Any:
        _, payload = self._exchange({**question, "rows": "look"}, told, within)
        with self._in_form():
            return json.loads(payload)

    def let_go(self) -> None:
        """Close what ties it to its process, which has gone."""
        self._wire.close()
        self._log.close()

    def _exchange(
        self, question: dict[str, Any], told: Mapping[str, Any], within: float
    ) -> tuple[dict[str, Any], bytes]:
        """One question with plain data, answered within so many seconds. Raises CouldNotEvaluate."""
        limit = self._wire.gettimeout()
        self._wire.settimeout(within)
        try:
            with self._sending():
                send(self._wire, question, json.dumps(told).encode())
            return self._received()
        finally:
            self._wire.settimeout(limit)

    def _received(self) -> tuple[dict[str, Any], bytes]:
        try:
            with self._in_form():
                header, payload = received(self._wire, self._most, self._note)
        except TimeoutError:
            raise self._silent() from None
        except (EOFError, OSError):
            raise ModelGone(f"{self.name}: {self._death()}") from None
        if "absent" in header:
            module = plain_words(header["absent"])
            raise CouldNotEvaluate(
                f"{self.name} needs {module}, which the environment that scores it lacks: {self._lacks}"
            )
        if "error" in header:
            raise CouldNotEvaluate(f"{self.name} raised {plain_words(header['error'])}")
        return header, payload

    @contextlib.contextmanager
    def _in_form(self) -> Iterator[None]:
        """Whoever answers out of form once is not asked again."""
        try:
            yield
        except (TimeoutError, EOFError, OSError):
            raise
        except (OutOfForm, ValueError, TypeError, RecursionError) as problem:
            self._process.kill()
            raise ModelGone(f"{self.name} gave what is no answer: {plain_words(problem)}") from None

    @contextlib.contextmanager
    def _sending(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError:
            raise self._silent() from None
        except OSError as problem:
            raise ModelGone(f"{self.name}: the process that runs models has gone ({problem})") from None

    def _silent(self) -> ModelGone:
        limit = self._wire.gettimeout()
        self._process.kill()
        return ModelGone(f"{self.name} did not answer within {limit:g} s: raise scoring_timeout, or make it faster")

    def _note(self, attempt: Attempt) -> None:
        if len(self._tried) < MOST:
            self._tried[attempt] = None

    def _death(self) -> str:
        try:
            code = self._process.end_of()
        except (OSError, ValueError, TypeError):
            code = None
        if code is None:
            return "the process that runs models has gone"
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        end = os.fstat(self._log.fileno()).st_size
        self._log.seek(max(0, end - _LAST_WORDS))
        lines = [plain_words(line[-_LINE:]) for line in self._log.read().decode(errors="replace").splitlines()]
        last = [line for line in lines if line][-1:]
        return f"its process {how}" + (f"; its last words: {last[0][:300]}" if last else "")
