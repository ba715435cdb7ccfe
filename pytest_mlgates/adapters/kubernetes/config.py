"""How the API server of one named context is reached, from a kubeconfig or as a pod's own service account."""

from __future__ import annotations

import importlib
import logging
from pathlib import Path
from typing import Any

import yaml

from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.validation import did_you_mean

#: The context that means: the service account of the pod this runs in.
IN_CLUSTER = "in-cluster"


def client() -> Any:
    """The official client. Raises CouldNotEvaluate when it is not installed."""
    try:
        kubernetes = importlib.import_module("kubernetes")
        importlib.import_module("kubernetes.config")
    except ImportError:
        raise CouldNotEvaluate(
            'the settings name a Kubernetes cluster, and its client is missing: pip install "pytest-mlgates[k8s]"'
        ) from None
    # At debug level it prints every answer, secrets included.
    logging.getLogger("kubernetes.client.rest").setLevel(logging.WARNING)
    return kubernetes


def configured(kubernetes: Any, kubeconfig: str, context: str) -> Any:
    """Raises UsageError for a context that is not there; the current context of a kubeconfig is never taken."""
    trouble = kubernetes.config.config_exception.ConfigException
    configuration = kubernetes.client.Configuration()
    try:
        if context == IN_CLUSTER:
            kubernetes.config.load_incluster_config(client_configuration=configuration)
            return configuration
        where = str(kubeconfig or kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION)
        known = _contexts(where)
        if context not in known:
            raise UsageError(f"the kubeconfig {where} has no context {context!r}: {did_you_mean(context, known)}")
        kubernetes.config.load_kube_config(
            config_file=where, context=context, client_configuration=configuration, persist_config=False
        )
        return configuration
    except (trouble, OSError, ValueError) as problem:
        raise UsageError(f"the kubeconfig for context {context!r} cannot be used: {problem}") from None


def _contexts(where: str) -> list[str]:
    """The names of the contexts; read here because the client asks for a current context even to list them."""
    files = [Path(part).expanduser() for part in where.split(":") if part]
    present = [file for file in files if file.is_file()]
    if not present:
        raise UsageError(
            f"there is no kubeconfig {where}: write kubeconfig in [tool.mlgates.cluster], or set KUBECONFIG"
        )
    try:
        told = [yaml.safe_load(file.read_text()) or {} for file in present]
        return [one["name"] for part in told for one in part.get("contexts") or ()]
    except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError) as problem:
        raise UsageError(f"the kubeconfig {where} cannot be read: {problem}") from None
