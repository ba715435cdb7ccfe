"""One HTTP connection that is kept: no proxy, no redirect followed, and every wait ends.

The standard library's client, because a readiness command must start at once.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports.serving import Call

#: No answer about rows is longer, in bytes.
_LONGEST = 256 * 2**20
_Connection = http.client.HTTPConnection


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back over HTTP, right or wrong."""

    status: int
    headers: dict[str, str]
    body: bytes


class Unreachable(CouldNotEvaluate):
    """Nothing came back; somebody who starts just now may answer later."""


class _HungUp(Unreachable):
    """The connection ended before anything came back."""


class Client:
    """Sends calls to one server, one at a time; `timeout` in seconds bounds each whole exchange."""

    def __init__(self, url: str, timeout: float, tls: ssl.SSLContext | None = None) -> None:
        self._parts, self.timeout, self._tls = urlsplit(url), timeout, tls
        self._connection: _Connection | None = None

    def send(self, call: Call) -> Reply:
        """Raises CouldNotEvaluate with what went wrong; Unreachable when it may be better in a moment."""
        kept, connection = self._connection is not None, self._connection or self._opened()
        self._connection = connection
        try:
            return self._exchange(connection, call)
        except _HungUp:
            # A kept connection may have been closed while it was idle, which says nothing of this call.
            if kept:
                return self.send(call)
            raise

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _opened(self) -> _Connection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=self.timeout, context=self._tls)
        return http.client.HTTPConnection(host, port, timeout=self.timeout)

    def _exchange(self, connection: _Connection, call: Call) -> Reply:
        parts = urlsplit(call.url)
        late = threading.Event()
        try:
            with self._translated(late):
                if connection.sock is None:
                    connection.connect()
                with _deadline(connection.sock, self.timeout, late):
                    path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
                    connection.request(call.method, path, body=call.body, headers=dict(call.headers))
                    answer = connection.getresponse()
                    body = _whole(answer)
                if late.is_set():
                    raise TimeoutError
                return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, body)
        except CouldNotEvaluate:
            self.close()
            raise

    @contextlib.contextmanager
    def _translated(self, late: threading.Event) -> Iterator[None]:
        """What the library raises, as one sentence each."""
        try:
            yield
        except (TimeoutError, OSError, http.client.HTTPException) as problem:
            if late.is_set() or isinstance(problem, TimeoutError):
                raise Unreachable(f"no answer within {self.timeout:g} s") from None
            if isinstance(problem, http.client.RemoteDisconnected):
                raise _HungUp("it closed the connection without an answer") from None
            if isinstance(problem, (ConnectionResetError, BrokenPipeError)):
                raise _HungUp("it reset the connection") from None
            sentence = _sentence(problem, self._parts.hostname or "")
            kind = CouldNotEvaluate if isinstance(problem, ssl.SSLError) or _no_http(problem) else Unreachable
            raise kind(sentence) from None


def tls_context(*, verify: bool, ca: str) -> ssl.SSLContext:
    """Raises CouldNotEvaluate when the file `ca` cannot be read as certificates."""
    try:
        context = ssl.create_default_context(cafile=ca or None)
    except (OSError, ssl.SSLError) as problem:
        raise CouldNotEvaluate(f"ca = {ca!r} cannot be read as certificates in PEM form: {problem}") from None
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _whole(answer: http.client.HTTPResponse) -> bytes:
    """Raises IncompleteRead when less comes than was announced, CouldNotEvaluate when it is far too much."""
    if answer.length is not None and answer.length <= _LONGEST:
        return answer.read()  # read(n) would not tell an answer that was cut off
    body = bytearray()
    while part := answer.read(1 << 20):
        body += part
        if len(body) > _LONGEST:
            raise CouldNotEvaluate(f"its answer is longer than {_LONGEST} bytes")
    return bytes(body)


@contextlib.contextmanager
def _deadline(sock: socket.socket, seconds: float, late: threading.Event) -> Iterator[None]:
    """A server that sends a byte now and then resets every timeout of a socket; this one holds for all of it."""

    def end() -> None:
        late.set()
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _no_http(problem: Exception) -> bool:
    return isinstance(problem, http.client.HTTPException) and not isinstance(problem, http.client.IncompleteRead)


def _sentence(problem: Exception, host: str) -> str:
    if isinstance(problem, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted: {problem.verify_message}; name the authority in ca, or write "
            "verify_tls = false for a test server"
        )
    if isinstance(problem, ssl.SSLError):
        return f"it does not speak TLS as asked ({problem.reason or problem}): is it http:// rather than https://?"
    if isinstance(problem, http.client.IncompleteRead):
        return f"it closed the connection in the middle of its answer, after {len(problem.partial)} bytes"
    if isinstance(problem, http.client.HTTPException):
        return f"what answers does not speak HTTP ({type(problem).__name__}): is this the right port, and no https://?"
    if isinstance(problem, ConnectionRefusedError):
        return "nothing answers there (connection refused)"
    if isinstance(problem, socket.gaierror):
        return f"the host {host!r} is not known"
    return f"{type(problem).__name__}: {problem}"
