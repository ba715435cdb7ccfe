"""Opens the scorer that the settings ask for."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_mlgates.ports import Scorer
from pytest_mlgates.settings import Settings


def open_scorer(settings: Settings, environ: Mapping[str, str]) -> Scorer:
    """A process that runs models; it begins its imports at once. Raises CouldNotEvaluate where it cannot run."""
    from pytest_mlgates.adapters.scorer import ChildScorer, Confinement

    safety = settings.artifact_safety
    may = Confinement(
        ports=safety.ports,
        memory=int(safety.memory_gb * 2**30),
        processes=safety.allow_processes,
        required=safety.require_isolation,
        writable=tuple(str(settings.base / place) for place in safety.writable),
    )
    return ChildScorer(timeout=settings.scoring_timeout, shown=settings.scoring_env, environ=environ, confinement=may)
