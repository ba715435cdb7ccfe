"""Runs in Locust's own process (`python -m locust -f THIS --headless`), never in pytest's: importing Locust patches it.

Arrivals are planned and do not wait for answers: one User spawns a greenlet for each, and a request's time counts from
when it should have been sent, so a server that stalls cannot hide what queues up meanwhile. Raw samples go to the
parent's file; in a distributed run the workers send them to the master as Locust messages.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import json
import os
import signal
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any

import gevent
from gevent import monkey
from gevent.event import AsyncResult
from geventhttpclient.client import HTTPClientPool
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError
from locust import User, events, task
from locust.exception import StopUser
from locust.runners import MasterRunner, WorkerRunner

from pytest_mlgates.adapters.load import frames as frames
from pytest_mlgates.adapters.load.answers import Answers
from pytest_mlgates.adapters.load.arrivals import arrivals
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports.serving import Call, LoadPlan, LoadTarget

#: File descriptors of a local process: the plan, the samples, and a pipe that ends when pytest does. Remote: none.
ENVIRONMENT = "MLGATES_LOAD"
_MESSAGE = "mlgates"
#: Seconds between two frames.
_PAUSE = 0.1
#: Different faults that are told apart; a server may put a new number into each of its errors.
_FAULTS = 50
#: More than a machine has ports: how many are open is the endpoint's doing, never a limit of ours.
_CONNECTIONS = 100_000
#: Errors that are this machine's, not the server's: out of files, ports or memory.
_OURS = {errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOMEM, errno.ENOBUFS}

Send = Callable[[bytes], None]


class Planned(User):
    """One a process; makes this process's share of the plan."""

    @task
    def make(self) -> None:
        plan, worker, workers, send = _share.get()
        try:
            Load(self.environment, plan, worker, workers, send).make()
        except Exception as problem:
            send(frames.note(worker=worker, trouble=f"{type(problem).__name__}: {problem}"))
            raise StopUser from problem


#: (plan, this worker, workers, where frames go), once it is known.
_share: AsyncResult = AsyncResult()


class Load:
    """The requests of one process, those that are open, and the samples not yet sent."""

    def __init__(self, environment: Any, plan: LoadPlan, worker: int, workers: int, send: Send) -> None:
        self._plan, self._worker, self._workers, self._send = plan, worker, workers, send
        self._fire = environment.events.request.fire
        self._clients = [_client(target, plan.timeout) for target in plan.targets]
        self._answers = [Answers(target) for target in plan.targets]
        self._faults = {"": 0}
        self._packed = bytearray()
        self._open: dict[int, float] = {}
        self._next = 0.0
        self._start = 0.0

    def make(self) -> None:
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        self._start = time.monotonic()
        self._send(frames.note(worker=self._worker, began=self._start))
        gevent.spawn(self._report)
        for number, (due, target, call) in enumerate(arrivals(self._plan, self._worker, self._workers)):
            self._next = due
            wait = self._start + due - time.monotonic()
            if wait > 0:
                gevent.sleep(wait)
            self._open[number] = due
            gevent.spawn(self._ask, number, due, target, call)

    def _ask(self, number: int, due: float, target: int, call: int) -> None:
        asked = self._plan.targets[target]
        answers = self._answers[target]
        body = b""
        sent = time.monotonic() - self._start
        try:
            with gevent.Timeout(self._plan.timeout):
                done, status, headers, body = self._exchange(target, asked.calls[call])
            fault = answers.fault(call, status, headers, body)
        except gevent.Timeout:
            done = time.monotonic() - self._start
            fault = f"no answer within {self._plan.timeout:g} s"
        except Exception as problem:  # noqa: BLE001 - whatever a server makes the client raise is a fault of its answer
            done = time.monotonic() - self._start
            fault = self._broken(problem)
        self._packed += frames.RECORD.pack(target, self._number_of(fault), due, sent, done)
        del self._open[number]
        self._fire(
            request_type=asked.calls[call].method,
            name=asked.name,
            response_time=(done - due) * 1000,
            response_length=len(body),
            exception=CouldNotEvaluate(fault) if fault else None,
            context={},
        )

    def _exchange(self, target: int, call: Call) -> tuple[float, int, Mapping[str, str], bytes]:
        """(when it was answered, status, headers, body); a streamed answer is there with its first token."""
        client, begun = self._clients[target].get_client(call.url), self._answers[target].wire.begun
        response = client.request(call.method, _path(call.url), body=call.body, headers=call.headers)
        done, body = 0.0, b""
        while call.streamed and not done and (line := response.readline(b"\n")):
            body += line
            if begun(body):
                done = time.monotonic() - self._start
        body += response.read()
        done = done or time.monotonic() - self._start
        return done, response.get_code(), dict(response.items()), body

    def _broken(self, problem: Exception) -> str:
        number = getattr(problem, "errno", None)
        if number in _OURS:
            self._send(frames.note(worker=self._worker, trouble=f"the load generator is out of means: {problem}"))
        if isinstance(problem, (HTTPConnectionClosed, ConnectionResetError, BrokenPipeError)):
            return "the connection was closed without an answer"
        if isinstance(problem, HTTPParseError):
            return "the answer is not HTTP, or was cut off"
        if isinstance(problem, ConnectionRefusedError):
            return "connection refused"
        if isinstance(problem, TimeoutError):
            return f"no answer within {self._plan.timeout:g} s"
        return f"{type(problem).__name__}: {problem}"[:160]

    def _number_of(self, fault: str) -> int:
        """Faults travel as numbers; each is named once."""
        if fault not in self._faults:
            if len(self._faults) >= _FAULTS:
                fault = "other faults"
            if fault not in self._faults:
                self._faults[fault] = len(self._faults)
                self._send(frames.note(worker=self._worker, fault=self._faults[fault], text=fault))
        return self._faults[fault]

    def _report(self) -> None:
        """Every request due before the oldest open one, or else before the next one, is in."""
        while True:
            gevent.sleep(_PAUSE)
            complete = next(iter(self._open.values()), self._next)
            packed, self._packed = bytes(self._packed), bytearray()
            now = time.monotonic() - self._start
            self._send(frames.records(frames.Records(self._worker, complete, now, time.process_time(), packed)))


def _client(target: LoadTarget, timeout: float) -> Any:
    """Connections to one target, as the client of Locust's FastHttpUser makes them; no redirect, cookie or proxy."""

    def context(cafile: str | None = None) -> ssl.SSLContext:
        if not target.verify_tls:
            return ssl._create_unverified_context()
        return ssl.create_default_context(cafile=target.ca or cafile)

    return HTTPClientPool(
        concurrency=_CONNECTIONS,
        connection_timeout=timeout,
        network_timeout=timeout,
        insecure=not target.verify_tls,
        ssl_context_factory=context,
    )


def _path(url: str) -> str:
    found = _paths.get(url)
    if found is None:
        _, _, rest = url.partition("://")
        _, slash, path = rest.partition("/")
        found = _paths[url] = slash + path or "/"
    return found


_paths: dict[str, str] = {}


def _begin(environment: Any, runner: Any, **_: Any) -> None:
    given = json.loads(os.environ.get(ENVIRONMENT, "{}"))
    if "life" in given:
        _end_with_parent(given["life"])
    if isinstance(runner, WorkerRunner):
        runner.register_message(_MESSAGE, lambda environment, msg: _take_share(runner, msg.data))
        return
    with os.fdopen(given["plan"], encoding="utf-8") as file:
        text = file.read()

    def write(frame: bytes) -> None:
        os.write(given["samples"], frame)

    if isinstance(runner, MasterRunner):
        runner.register_message(_MESSAGE, lambda environment, msg: write(msg.data))
        environment.events.test_start.add_listener(lambda environment, **_: _hand_out(runner, text))
    else:
        _set_share(frames.plan_from_text(text), 0, 1, write)


def _hand_out(runner: Any, text: str) -> None:
    """Each worker gets the plan and its number before it is told to begin."""
    ready = [client.id for client in runner.clients.ready]
    for number, client in enumerate(ready):
        share = {"version": frames.VERSION, "plan": text, "worker": number, "workers": len(ready)}
        runner.send_message(_MESSAGE, share, client_id=client)


def _take_share(runner: Any, data: Mapping[str, Any]) -> None:
    def send(frame: bytes) -> None:
        runner.send_message(_MESSAGE, frame)

    if data["version"] != frames.VERSION:
        theirs, ours = data["version"], frames.VERSION
        text = f"worker {data['worker']} runs another version of pytest-mlgates (protocol {ours}, not {theirs})"
        send(frames.note(worker=data["worker"], trouble=text))
        return
    _set_share(frames.plan_from_text(data["plan"]), data["worker"], data["workers"], send)


def _set_share(plan: LoadPlan, worker: int, workers: int, send: Send) -> None:
    _share.set((plan, worker, workers, send))


def _end_with_parent(pipe: int) -> None:
    """A real thread, for greenlets would wait for a loop that may be stuck: the pipe ends when pytest does."""

    def wait() -> None:
        with contextlib.suppress(OSError):
            os.read(pipe, 1)
        os.kill(os.getpid(), signal.SIGKILL)

    monkey.get_original("_thread", "start_new_thread")(wait, ())


events.init.add_listener(_begin)  # type: ignore[no-untyped-call]
