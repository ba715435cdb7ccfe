"""Frames over the socket between a model's process and the gate: a JSON header, and bytes. Both sides speak them."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from typing import Any

_LENGTHS = struct.Struct(">QQ")


def send(connection: socket.socket, header: dict[str, Any], payload: bytes = b"") -> None:
    words = json.dumps(header).encode()
    connection.sendall(_LENGTHS.pack(len(words), len(payload)) + words)
    connection.sendall(payload)


def receive(connection: socket.socket) -> tuple[dict[str, Any], bytes]:
    """The next frame. Raises EOFError when the other side is gone, TimeoutError when the socket has a limit."""
    words, payload = _LENGTHS.unpack(_exactly(connection, _LENGTHS.size))
    return json.loads(_exactly(connection, words)), _exactly(connection, payload)


class Channel:
    """The model's side: an answer a question, and at once what the model tries although it may not, so that it is
    known whatever becomes of the process.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._attempts: list[dict[str, Any]] = []

    def question(self) -> tuple[dict[str, Any], bytes]:
        return receive(self._connection)

    def answer(self, header: dict[str, Any], payload: bytes) -> None:
        with self._lock:
            self._tell()
            send(self._connection, header, payload)

    def tried(self, attempt: dict[str, Any]) -> None:
        """Called from any thread, also in the middle of a frame: then it is told before the next one."""
        self._attempts.append(attempt)
        if self._lock.acquire(blocking=False):
            try:
                with contextlib.suppress(OSError):
                    self._tell()
            finally:
                self._lock.release()

    def _tell(self) -> None:
        while self._attempts:
            send(self._connection, {"attempt": self._attempts.pop(0)})


def _exactly(connection: socket.socket, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        part = connection.recv(min(count - len(parts), 1 << 20))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)
