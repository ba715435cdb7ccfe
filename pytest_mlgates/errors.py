"""The one family of errors. Each says what was given, where it came from, and what to write instead."""

from __future__ import annotations

import re

_LOGIN = re.compile(r"(?<=://)[^/@\s'\"]+(?=@)")


class MlgatesError(Exception):
    """Any trouble this package names itself; its text is meant for a person."""


class UsageError(MlgatesError):
    """Settings, options or gates are written wrongly. The plugin turns it into ``pytest.UsageError`` (exit 4)."""


class CouldNotEvaluate(MlgatesError):
    """A part that a gate needs (registry, golden set, model) did not answer. The gate becomes ERROR."""


class ModelGone(CouldNotEvaluate):
    """The model's process died, or was silent for too long."""


class Unreachable(CouldNotEvaluate):
    """Nobody answers there, or only that it cannot serve now: nothing is known, not even that anything is wrong."""


class ActionFailed(MlgatesError):
    """Promoting or rolling back failed, or could not be verified: an incident (exit 11)."""


class ChampionMoved(MlgatesError):
    """The champion is no longer the version that was judged against; nothing was changed (exit 10)."""


def without_login(text: str) -> str:
    """`text` with the login of every URL in it replaced by ***."""
    return _LOGIN.sub("***", text)
