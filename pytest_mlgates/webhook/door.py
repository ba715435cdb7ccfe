"""Is this post from somebody who may tell us, and new?"""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Mapping

#: Signatures that are remembered so that a copy is refused; far more than come within a replay window.
_MOST = 100_000


class Refused(Exception):
    """A post that is not taken: `status` is HTTP's."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Door:
    """`token` is a bearer token, `secret` signs timestamp and body; what is "" is not asked for. With both, both are.

    Raises ValueError when nothing is asked for: whoever can reach the port could start a rollback.
    """

    def __init__(self, token: str, secret: str, replay: float) -> None:
        if not token and not secret:
            raise ValueError("neither token nor secret")
        self._token, self._secret, self._replay = token.encode(), secret.encode(), replay
        self._seen: OrderedDict[bytes, float] = OrderedDict()

    def admit(self, headers: Mapping[str, str], body: bytes, now: float) -> None:
        """`headers` in lower case. Raises Refused, which does not say which part of it was wrong."""
        if self._token:
            scheme, _, given = headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not hmac.compare_digest(_bytes(given.strip()), self._token):
                raise Refused(401, "the token is missing or wrong")
        if self._secret:
            self._signed(headers, body, now)

    def _signed(self, headers: Mapping[str, str], body: bytes, now: float) -> None:
        stamp, given = headers.get("x-mlgates-timestamp", ""), headers.get("x-mlgates-signature", "")
        expected = signature(self._secret, stamp, body)
        if not hmac.compare_digest(_bytes(given), expected.encode()):
            raise Refused(401, "the signature is missing or wrong")
        if not stamp.isascii() or not stamp.isdecimal() or abs(now - float(stamp)) > self._replay:
            raise Refused(401, f"it was signed more than {self._replay:g} s ago, or the clocks differ")
        while self._seen and (len(self._seen) > _MOST or next(iter(self._seen.values())) < now - 2 * self._replay):
            self._seen.popitem(last=False)
        if expected.encode() in self._seen:
            raise Refused(401, "this post was taken before: a replay")
        self._seen[expected.encode()] = now


def signature(secret: bytes, stamp: str, body: bytes) -> str:
    """What X-Mlgates-Signature must be, for the seconds since 1970 in X-Mlgates-Timestamp."""
    return "sha256=" + hmac.new(secret, stamp.encode("utf-8", "replace") + b"." + body, hashlib.sha256).hexdigest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")
