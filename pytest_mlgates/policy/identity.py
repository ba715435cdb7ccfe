"""What is this version, and who answers for it?"""

from __future__ import annotations

from pytest_mlgates.policy.base import Policy


class EnvLock(Policy):
    require_hashes: bool = False


class Card(Policy):
    """What only people know of a model, for its card: who answers for it, what it is for, where it must not be used."""

    owner: str = ""
    intended_use: str = ""
    limits: str = ""
