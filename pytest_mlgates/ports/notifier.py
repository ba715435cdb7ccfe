"""Tells people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """`severity` is SEV1 to SEV4; messages with the same `key` say the same; `link` is where to read on, or ""."""

    severity: str
    title: str
    body: str
    key: str
    link: str = ""


class Notifier(Protocol):
    """One kind of channel, or several."""

    def tell(self, message: Message, urls: Sequence[str]) -> None:
        """Send `message` to every one of `urls`, in a bounded time. Raises CouldNotEvaluate, which names no URL."""
