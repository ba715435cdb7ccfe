"""Opens the outside that the settings name: the registry, its log, and the golden store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_mlgates.doors.forking import must_fork
from pytest_mlgates.errors import UsageError
from pytest_mlgates.policy.serving import ClusterSettings, Target
from pytest_mlgates.ports import Cluster, GoldenStore, Log, Registry, Repository, Runs
from pytest_mlgates.settings import Settings


@dataclass(frozen=True, slots=True)
class Doors:
    """One model's registry and log; `name` is the registry's URI without secrets."""

    registry: Registry
    log: Log
    name: str


def registry_uri(settings: Settings, environ: Mapping[str, str]) -> str:
    """Raises UsageError when no registry is named, it is not there, or a file holds its password."""
    from pytest_mlgates.adapters.mlflow.client import has_password, resolved_uri

    if "environment" not in settings.origin("registry") and has_password(settings.registry):
        place = settings.origin("registry")
        raise UsageError(f"registry in {place} holds a password: set MLFLOW_TRACKING_URI in the environment instead")
    return resolved_uri(settings.registry, settings.base, environ)


def open_doors(settings: Settings, uri: str) -> Doors:
    """Raises CouldNotEvaluate when the registry cannot be opened."""
    from pytest_mlgates.adapters.mlflow.client import without_secrets
    from pytest_mlgates.adapters.mlflow.log import MlflowLog
    from pytest_mlgates.adapters.mlflow.registry import MlflowRegistry

    registry = MlflowRegistry(uri, settings.model, settings.cache_dir)
    return Doors(registry, MlflowLog(uri, settings.model), without_secrets(uri))


def golden_store(settings: Settings) -> GoldenStore:
    from pytest_mlgates.adapters.golden.dvc_golden import DvcGolden

    return DvcGolden(settings.golden_file)


def open_runs(uri: str) -> Runs:
    """Raises CouldNotEvaluate when the tracking store cannot be opened."""
    from pytest_mlgates.adapters.mlflow.runs import MlflowRuns

    return MlflowRuns(uri)


def open_cluster(settings: Settings, uri: str, environ: Mapping[str, str], *, drill: bool) -> Cluster:
    """The workload that promotion moves, or with `drill` the one on staging.

    Raises UsageError without a cluster in the settings, for a context that is not there, or a drill in production.
    """
    must_fork("workloads are asked and drilled")
    cluster = settings.cluster
    if cluster is None:
        raise UsageError('no cluster: write [tool.mlgates.cluster] with kind = "local" or "kubernetes"')
    target = cluster.drilled() if drill else cluster.serving
    if drill:
        _must_be_staging(cluster, target)
    if cluster.kind == "kubernetes":
        from pytest_mlgates.adapters.kubernetes.cluster import KubernetesCluster
        from pytest_mlgates.adapters.kubernetes.deployment import Place

        told = target.model_dump()
        if told["kubeconfig"]:
            told["kubeconfig"] = str(settings.base / Path(told["kubeconfig"]).expanduser())
        return KubernetesCluster(Place(**told))
    from pytest_mlgates.adapters.local.cluster import DEFAULT_COMMAND, PROBE, LocalCluster
    from pytest_mlgates.adapters.scoring.confinement import child_environment

    shown = [name for name in environ if name.startswith("MLFLOW_")]
    seen = child_environment(environ, [*settings.scoring_env, *shown])
    return LocalCluster(
        settings.base / ".mlgates" / "cluster",
        target.deployment,
        command=cluster.command or DEFAULT_COMMAND,
        environment={**seen, "MLFLOW_TRACKING_URI": uri, "MLFLOW_REGISTRY_URI": uri},
        replicas=cluster.replicas,
        path=cluster.path,
        probe=(*PROBE, str(settings.base / cluster.record)) if cluster.record else (),
        lasting=not drill,
    )


def _must_be_staging(cluster: ClusterSettings, target: Target) -> None:
    fix = "name another context, namespace or deployment in [tool.mlgates.cluster.staging]"
    production = cluster.production_of(target)
    if production:
        raise UsageError(f"a drill never runs in production, and {production} is: {fix}")
    if cluster.is_served(target):
        raise UsageError(f"the drill would be held on the very workload that promotion moves: {fix}")


def code_repository(settings: Settings) -> Repository:
    from pytest_mlgates.adapters.golden.git import GitRepository

    return GitRepository(settings.base)
