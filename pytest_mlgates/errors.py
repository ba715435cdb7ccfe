"""The one family of errors. Each says what was given, where it came from, and what to write instead."""

from __future__ import annotations


class MlgatesError(Exception):
    """Any trouble this package names itself; its text is meant for a person."""


class UsageError(MlgatesError):
    """Settings, options or gates are written wrongly. The plugin turns it into ``pytest.UsageError`` (exit 4)."""


class CouldNotEvaluate(MlgatesError):
    """A part that a gate needs (registry, golden set, model) did not answer. The gate becomes ERROR."""


class ActionFailed(MlgatesError):
    """Promoting or rolling back failed, or could not be verified: an incident (exit 11)."""


class ChampionMoved(MlgatesError):
    """The champion is no longer the version that was judged against; nothing was changed (exit 10)."""
