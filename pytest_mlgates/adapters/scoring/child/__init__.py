"""What runs where a model runs: it loads the model, asks it, and tells the gate over a socket.

`scoring_child` loads this package by its path, in an interpreter that may have nothing of the gate, so its modules
import each other relatively, and only the standard library at their tops.
"""

from __future__ import annotations

from .answering import serve
from .frames import Channel, receive

__all__ = ["Channel", "receive", "serve"]
