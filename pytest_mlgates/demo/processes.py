"""What the processes that the demo starts may see of the caller's environment."""

from __future__ import annotations

import os

#: These would lead git, MLflow or DVC to another repository, registry or remote than the demo's own.
_LEADS_AWAY = ("GIT_", "MLFLOW_", "DVC_")
_OURS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DVC_NO_ANALYTICS": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


def environment() -> dict[str, str]:
    """The caller's environment without its git, MLflow and DVC variables, with telemetry off."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_LEADS_AWAY)} | _OURS
