"""What an MLflow registry holds: the models, their aliases, and what a version wants to be given. Nothing is loaded."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from pytest_mlgates.adapters.mlflow.client import first_line, open_client, quietly, without_secrets
from pytest_mlgates.adapters.mlflow.log import SUFFIX
from pytest_mlgates.adapters.mlflow.registry import local_folder
from pytest_mlgates.errors import CouldNotEvaluate

_MOST = 200


class MlflowCatalog:
    """The registered models in the registry at `uri`, without ledgers."""

    def __init__(self, uri: str) -> None:
        self.uri, self.name = uri, without_secrets(uri)
        self._client = open_client(uri)

    def models(self) -> list[dict[str, Any]]:
        """Of each: `name`, `aliases` and `stages` (name -> version), `newest`. Raises CouldNotEvaluate."""
        try:
            with quietly():
                found = self._client.search_registered_models(max_results=_MOST)
        except Exception as problem:  # noqa: BLE001 - the adapter's edge
            raise CouldNotEvaluate(f"the registry {self.name} did not list its models: {first_line(problem)}") from None
        return [_model(one) for one in found if not one.name.endswith(SUFFIX)]

    def inputs(self, model: str, number: str) -> tuple[str, ...] | None:
        """The columns in the version's signature; None without one, or when its files cannot be had."""
        try:
            with quietly(), tempfile.TemporaryDirectory() as folder:
                import yaml

                written = yaml.safe_load(self._mlmodel(model, number, folder).read_text(encoding="utf-8"))
                columns = json.loads((written.get("signature") or {}).get("inputs") or "[]")
        except Exception:  # noqa: BLE001 - a signature that cannot be read is a signature that says nothing
            return None
        names = [str(column["name"]) for column in columns if isinstance(column, dict) and "name" in column]
        return tuple(names) if names and len(names) == len(columns) else None

    def _mlmodel(self, model: str, number: str, folder: str) -> Path:
        local = local_folder(self._client.get_model_version_download_uri(model, number))
        if local is not None:
            return local / "MLmodel"
        import mlflow.artifacts

        wanted = f"models:/{model}/{number}/MLmodel"
        return Path(
            mlflow.artifacts.download_artifacts(
                artifact_uri=wanted, dst_path=folder, registry_uri=self.uri, tracking_uri=self.uri
            )
        )


def _model(one: Any) -> dict[str, Any]:
    latest = list(one.latest_versions or [])
    stages = {v.current_stage: str(v.version) for v in latest if v.current_stage not in (None, "None", "Archived")}
    newest = max((int(v.version) for v in latest), default=0)
    aliases = {str(name): str(number) for name, number in dict(one.aliases or {}).items()}
    return {"name": one.name, "aliases": aliases, "stages": stages, "newest": str(newest or "")}
