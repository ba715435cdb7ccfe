"""Opens the scorer that the settings ask for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_mlgates.doors.forking import must_fork
from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.ports import ScoredModel, Scorer, Version
from pytest_mlgates.settings import Settings

if TYPE_CHECKING:
    from pytest_mlgates.adapters.scoring.confinement import Confinement


def open_scorer(settings: Settings, environ: Mapping[str, str]) -> Scorer:
    """A process that runs models; it begins its imports at once. Raises CouldNotEvaluate where it cannot run."""
    must_fork("models are scored")
    from pytest_mlgates.adapters.scoring.scorer import ChildScorer

    may = confinement_of(settings)
    if settings.env_lock.scoring_env == "lock":
        return LockScorer(settings, environ, may)
    return ChildScorer(timeout=settings.scoring_timeout, shown=settings.scoring_env, environ=environ, confinement=may)


def confinement_of(settings: Settings) -> Confinement:
    """What a model's process may do, where it is scored and where it is served."""
    from pytest_mlgates.adapters.scoring.confinement import Confinement

    safety = settings.artifact_safety
    return Confinement(
        ports=safety.ports,
        memory=int(safety.memory_gb * 2**30),
        processes=safety.allow_processes,
        required=safety.require_isolation,
        writable=tuple(str(settings.base / place) for place in safety.writable),
    )


class LockScorer:
    """Each model in the environment of its own lock, built on first use and kept."""

    def __init__(self, settings: Settings, environ: Mapping[str, str], may: Confinement) -> None:
        from pytest_mlgates.adapters.scoring.lone_scorer import LoneScorer
        from pytest_mlgates.doors.locks import Locks

        self._locks = Locks(settings, environ)
        self._lone = LoneScorer(
            timeout=settings.scoring_timeout, shown=settings.scoring_env, environ=environ, confinement=may
        )

    def open(self, files: Path, name: str, version: Version | None = None) -> ScoredModel:
        """Raises CouldNotEvaluate for a version without a lock, and for a lock that cannot be built."""
        if version is None:
            raise CouldNotEvaluate(f'{name} is no version of a registry, and scoring_env = "lock" needs its lock')
        try:
            lock = self._locks.believed(version)
        except UsageError as problem:
            raise CouldNotEvaluate(str(problem)) from None
        if isinstance(lock, str):
            raise CouldNotEvaluate(f'{lock}; scoring_env = "lock" needs it')
        made = self._locks.rebuilt(lock, f"the lock of {version}")
        lacks = f"nor does the lock of {version} have it"
        if made.left_out:
            lacks = f"these of its lock are from no index and were left out: {', '.join(made.left_out[:5])}"
        arrow = {"pandas", "pyarrow"} <= made.has
        return self._lone.open(files, name, made.folder, arrow=arrow, lacks=lacks)

    def close(self) -> None:
        self._lone.close()
