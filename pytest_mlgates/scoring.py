"""Opens the scorer that the settings ask for."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_mlgates.ports import Scorer
from pytest_mlgates.settings import Settings


def open_scorer(settings: Settings, environ: Mapping[str, str]) -> Scorer:
    """A process that runs models; it begins its imports at once. Raises CouldNotEvaluate where it cannot run."""
    from pytest_mlgates.adapters.scorer import ChildScorer

    return ChildScorer(timeout=settings.scoring_timeout, shown=settings.scoring_env, environ=environ)
