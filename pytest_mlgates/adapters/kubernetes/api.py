"""The official client, opened for one named context, with plain dictionaries out and one sentence for each trouble.

Objects stay dictionaries: the client's own classes refuse what a newer server adds, and differ between client 31 to
36 and the pydantic-based 37; the raw answer is the same in all.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from pytest_mlgates.adapters.kubernetes.config import client, configured
from pytest_mlgates.errors import CouldNotEvaluate, Unreachable

Object = dict[str, Any]
#: Seconds to connect, and to wait for an answer.
_TIMEOUT = (5, 20)
#: Seconds that an API server which has answered before is given to answer a reading again: one that is restarted, or
#: hands over to another, is not lost.
PATIENCE = 10.0
_PAUSE = 0.25
#: Kept open at the same time, for the load of a drill goes through them.
_CONNECTIONS = 64
#: Too many requests, or trouble of its own; whether a change was made is then unknown.
_NOT_NOW = {429, 500, 502, 503, 504}


class Refused(Exception):
    """An answer of the API server that is no success."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status, self.reason = status, reason


class _NotNow(Unreachable):
    """Perhaps in a moment."""


class Api:
    """`core` and `apps` are the client's own; `raw` and `watch` call one of their methods."""

    def __init__(self, kubeconfig: str, context: str) -> None:
        self.context = context
        kubernetes = client()
        configuration = configured(kubernetes, kubeconfig, context)
        configuration.retries = False
        configuration.connection_pool_maxsize = _CONNECTIONS
        self._heard = False
        self._exception = kubernetes.client.exceptions.ApiException
        self.models = kubernetes.client
        self.transport = kubernetes.client.ApiClient(configuration)
        self.core = kubernetes.client.CoreV1Api(self.transport)
        self.apps = kubernetes.client.AppsV1Api(self.transport)
        self._version = kubernetes.client.VersionApi(self.transport)

    @property
    def host(self) -> str:
        return str(self.transport.configuration.host).rstrip("/")

    def auth(self) -> dict[str, str]:
        """The headers that say who we are; asked for anew, because tokens are renewed."""
        known = self.transport.configuration.auth_settings().values()
        return {one["key"]: one["value"] for one in known if one["in"] == "header" and one["value"]}

    def server(self) -> str:
        """The server's own version string."""
        return str(self.raw(self._version.get_code)["gitVersion"])

    def raw(self, call: Callable[..., Any], *args: Any, **words: Any) -> Any:
        """The answer as a dictionary. Raises as `text` does, and Unreachable for an answer that is not JSON."""
        text = self.text(call, *args, **words)
        try:
            return json.loads(text)
        except ValueError:
            raise Unreachable(
                f"{self._place()} answers {text[:80]!r}: is that an API server, or something in front of it?"
            ) from None

    def text(self, call: Callable[..., Any], *args: Any, **words: Any) -> str:
        """The answer as it came. What only reads is asked again for PATIENCE seconds, once the server has answered.

        Raises Refused for an answer that is no success, Unreachable when there is none, for 401, and when the server
        cannot serve now.
        """
        deadline = time.monotonic() + (PATIENCE if self._heard and _reads(call) else 0.0)
        while True:
            try:
                with self._speaking():
                    answer = call(*args, **words, _preload_content=False, _request_timeout=_TIMEOUT)
                    text = str(answer.data.decode(errors="replace"))
            except _NotNow:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(_PAUSE)
                continue
            self._heard = True
            return text

    def watch(self, call: Callable[..., Any], *args: Any, since: str, seconds: float, **words: Any) -> Iterator[Object]:
        """Each object as it changes after `since`, with what became of it under "event" (ADDED, MODIFIED, DELETED);
        ends after `seconds`, or when the server has forgotten `since` or ends it, and the caller must list again.

        Raises Refused, and Unreachable where it cannot even begin.
        """
        whole = max(1, int(seconds))
        with self._speaking():
            answer = call(
                *args,
                **words,
                watch=True,
                resource_version=since,
                timeout_seconds=whole,
                _preload_content=False,
                _request_timeout=(_TIMEOUT[0], whole + _TIMEOUT[0]),
            )
        try:
            for line in _lines(answer, time.monotonic() + seconds):
                told = json.loads(line)
                if told["type"] == "ERROR":
                    return
                if told["type"] != "BOOKMARK":
                    yield {**told["object"], "event": told["type"]}
        except Exception as problem:
            if not _is_transport(problem):
                raise
        finally:
            answer.close()

    def close(self) -> None:
        self.transport.rest_client.pool_manager.clear()

    @contextlib.contextmanager
    def _speaking(self) -> Iterator[None]:
        try:
            yield
        except self._exception as problem:
            if not problem.status:
                raise _NotNow(f"{self._place()} cannot be reached: {_one_line(problem.reason)}") from None
            status, reason, message = _status(problem)
            if status == 401 or (status == 403 and "system:anonymous" in message):
                raise Unreachable(
                    f"{self._place()} does not know who we are ({status}): the credentials of context "
                    f"{self.context!r} are wrong or have expired"
                ) from None
            if status in _NOT_NOW:
                raise _NotNow(f"{self._place()} cannot serve now: {status} {reason}: {_one_line(message)}") from None
            raise Refused(status, reason, message) from None
        except Exception as problem:
            if _is_transport(problem):
                raise _NotNow(f"{self._place()} cannot be reached: {_short(problem)}") from None
            if isinstance(problem, (TypeError, ValueError)):  # the client's own classes refuse what is of a wrong type
                raise CouldNotEvaluate(
                    f"the Kubernetes client refuses what {self._place()} should be asked: {_one_line(problem)}"
                ) from None
            raise

    def _place(self) -> str:
        return f"the API server of context {self.context!r} ({self.host})"


def _status(problem: Any) -> tuple[int, str, str]:
    body = problem.body.decode(errors="replace") if isinstance(problem.body, bytes) else str(problem.body or "")
    try:
        told = json.loads(body)
        return problem.status, str(told.get("reason", "")), str(told.get("message", problem.reason))
    except (ValueError, AttributeError):
        return problem.status, "", (body or str(problem.reason))[:300]


def _lines(answer: Any, until: float) -> Iterator[bytes]:
    rest = b""
    for part in answer.stream(amt=None, decode_content=False):
        *lines, rest = (rest + part).split(b"\n")
        yield from (line for line in lines if line.strip())
        if time.monotonic() > until:
            return


def _reads(call: Callable[..., Any]) -> bool:
    return call.__name__.startswith(("read_", "list_", "get_"))


def _is_transport(problem: BaseException) -> bool:
    """Trouble on the way: the client lets that of its transport through as it is."""
    return isinstance(problem, OSError) or type(problem).__module__.partition(".")[0] == "urllib3"


def _short(problem: BaseException) -> str:
    words = str(problem).rpartition(": ")[2] if "refused" in str(problem) else str(problem)
    return _one_line(words)


def _one_line(words: object) -> str:
    return " ".join(str(words).split())[:200]
