"""Opens the outside that the settings name: the registry, its log, and the golden store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_mlgates.errors import UsageError
from pytest_mlgates.ports import GoldenStore, Log, Registry, Repository, Runs
from pytest_mlgates.settings import Settings


@dataclass(frozen=True, slots=True)
class Doors:
    """One model's registry and log; `name` is the registry's URI without secrets."""

    registry: Registry
    log: Log
    name: str


def registry_uri(settings: Settings, environ: Mapping[str, str]) -> str:
    """Raises UsageError when no registry is named, it is not there, or a file holds its password."""
    from pytest_mlgates.adapters.mlflow_client import has_password, resolved_uri

    if "environment" not in settings.origin("registry") and has_password(settings.registry):
        place = settings.origin("registry")
        raise UsageError(f"registry in {place} holds a password: set MLFLOW_TRACKING_URI in the environment instead")
    return resolved_uri(settings.registry, settings.base, environ)


def open_doors(settings: Settings, uri: str) -> Doors:
    """Raises CouldNotEvaluate when the registry cannot be opened."""
    from pytest_mlgates.adapters.mlflow_client import without_secrets
    from pytest_mlgates.adapters.mlflow_log import MlflowLog
    from pytest_mlgates.adapters.mlflow_registry import MlflowRegistry

    registry = MlflowRegistry(uri, settings.model, settings.cache_dir)
    return Doors(registry, MlflowLog(uri, settings.model), without_secrets(uri))


def golden_store(settings: Settings) -> GoldenStore:
    from pytest_mlgates.adapters.dvc_golden import DvcGolden

    return DvcGolden(settings.golden_file)


def open_runs(uri: str) -> Runs:
    """Raises CouldNotEvaluate when the tracking store cannot be opened."""
    from pytest_mlgates.adapters.mlflow_runs import MlflowRuns

    return MlflowRuns(uri)


def code_repository(settings: Settings) -> Repository:
    from pytest_mlgates.adapters.git import GitRepository

    return GitRepository(settings.base)
