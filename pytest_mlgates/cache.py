"""Model outputs kept between runs, under the digests of everything they depend on. Deletable at any time."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pytest_mlgates.ports import Answer, Attempt


class AnswerCache:
    """A folder of answers; a damaged or half-written file counts as absent."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "answers"

    def load(self, key: str) -> Answer | None:
        import numpy as np

        try:
            first, _, body = self._file(key).read_bytes().partition(b"\n")
            header = json.loads(first)
            if hashlib.sha256(body).hexdigest() != header["sha256"]:
                return None
            values = np.load(io.BytesIO(body), allow_pickle=False)
            tried = tuple(Attempt(**one) for one in header.get("tried", ()))
            return Answer(values, header["method"], header["flavour"], tuple(header["classes"]), tried)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def store(self, key: str, answer: Answer) -> None:
        """Keep an answer. A cache that cannot be written is no reason to hold anything."""
        import numpy as np

        stream = io.BytesIO()
        np.save(stream, answer.values, allow_pickle=False)
        body = stream.getvalue()
        header = {
            "sha256": hashlib.sha256(body).hexdigest(),
            "method": answer.method,
            "flavour": answer.flavour,
            "classes": list(answer.classes),
            "tried": [dataclasses.asdict(one) for one in answer.tried],
        }
        with contextlib.suppress(OSError):
            write_atomically(self._file(key), json.dumps(header).encode() + b"\n" + body)

    @contextlib.contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """Held by one process at a time, so that parallel workers score once."""
        import fcntl

        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = self._file(key).with_suffix(".lock").open("w")
        except OSError:
            yield
            return
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _file(self, key: str) -> Path:
        return self._folder / f"{key}.answer"


def write_atomically(file: Path, data: bytes) -> None:
    """All of `data` or the file as it was: written beside it, flushed to disk, then renamed. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, beside = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(beside).replace(file)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
