"""The MLflow model registry: a sqlite or PostgreSQL store, or an MLflow server.

The client is imported when the registry is opened, never before.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pytest_mlgates.adapters.mlflow.client import (
    first_line,
    literal,
    open_client,
    quietly,
    refusal,
    without_secrets,
)
from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.ports import Version
from pytest_mlgates.validation import did_you_mean

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

_STAGE = "stage:"
_BATCH = 500
_ABSENT = {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}


class MlflowRegistry:
    """One registered model in one MLflow registry; `cache` is where downloaded files go."""

    def __init__(self, uri: str, model: str, cache: Path) -> None:
        self.uri = uri
        self.model = model
        self._cache = cache
        self._client = open_client(uri)

    def find(self, reference: str) -> Version | None:
        with self._speaking(f"looking up {reference!r}"):
            found = self._find(reference)
        return None if found is None else self._version(found)

    def references(self) -> list[str]:
        with self._speaking("listing versions"):
            model = self._client.get_registered_model(self.model)
            versions = self._client.search_model_versions(f"name = {literal(self.model)}")
        return [*sorted(model.aliases), *sorted((str(v.version) for v in versions), key=int)]

    def files(self, version: Version) -> Path:
        with self._speaking(f"fetching the files of {version}"):
            uri = self._client.get_model_version_download_uri(self.model, version.number)
            local = local_folder(uri)
            if local is None:
                import mlflow.artifacts

                target = self._cache / "models" / re.sub(r"\W+", "-", f"{self.model}-{version.number}")
                target.mkdir(parents=True, exist_ok=True)
                local = Path(
                    mlflow.artifacts.download_artifacts(
                        artifact_uri=f"models:/{self.model}/{version.number}",
                        dst_path=str(target),
                        registry_uri=self.uri,
                        tracking_uri=self.uri,
                    )
                )
        if not (local / "MLmodel").is_file():
            raise CouldNotEvaluate(f"{self.model} {version} has no file MLmodel in {local}: it is not a logged model")
        return local

    def point(self, reference: str, version: Version) -> None:
        with self._speaking(f"moving {reference!r} to {version}"):
            if reference.startswith(_STAGE):
                stage = reference.removeprefix(_STAGE)
                self._client.transition_model_version_stage(
                    self.model, version.number, stage, archive_existing_versions=True
                )
            else:
                self._client.set_registered_model_alias(self.model, reference, version.number)

    def unpoint(self, alias: str) -> None:
        with self._speaking(f"removing {alias!r}"):
            self._client.delete_registered_model_alias(self.model, alias)

    def tag(self, version: Version, tags: Mapping[str, str]) -> None:
        with self._speaking(f"tagging {version}"):
            for key, value in tags.items():
                self._client.set_model_version_tag(self.model, version.number, key, value)

    def attach(self, version: Version, texts: Mapping[str, str]) -> None:
        if not version.run_id:
            raise CouldNotEvaluate(f"{version} was registered without a run, so nothing can be kept with it")
        with self._speaking(f"keeping {', '.join(texts)} with the run of {version}"):
            for name, text in texts.items():
                self._client.log_text(version.run_id, text, f"{_folder(version)}/{name}")

    def note_figures(self, version: Version, figures: Mapping[str, float]) -> str:
        if not version.run_id:
            raise CouldNotEvaluate(f"{version} was registered without a run, so no figures can be kept with it")
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        # MLflow takes other letters in the name of a metric for an error, and no more than so many at once.
        metrics = [Metric(re.sub(r"[^\w\-. :/]", "_", name)[:250], value, now, 0) for name, value in figures.items()]
        with self._speaking(f"keeping figures with the run of {version}"):
            for start in range(0, len(metrics), _BATCH):
                self._client.log_batch(version.run_id, metrics=metrics[start : start + _BATCH])
        return version.run_id

    def attached(self, version: Version, name: str) -> str | None:
        if not version.run_id:
            return None
        path = f"{_folder(version)}/{name}"
        with self._speaking(f"reading {path} of the run of {version}"), tempfile.TemporaryDirectory() as folder:
            if path not in {file.path for file in self._client.list_artifacts(version.run_id, _folder(version))}:
                return None
            return Path(self._client.download_artifacts(version.run_id, path, folder)).read_text(encoding="utf-8")

    def _find(self, reference: str) -> ModelVersion | None:
        if reference.startswith("runs:/"):
            return self._of_run(reference)
        from mlflow.exceptions import MlflowException

        try:
            if reference.startswith(_STAGE):
                found = self._client.get_latest_versions(self.model, [reference.removeprefix(_STAGE)])
                return found[0] if found else None
            name, alias, number = _parts(reference, self.model)
            if name != self.model:
                raise UsageError(f"{reference} names the model {name!r}, but the settings judge {self.model!r}")
            if number:
                return self._client.get_model_version(self.model, number)
            return self._client.get_model_version_by_alias(self.model, alias)
        except MlflowException as problem:
            if problem.error_code not in _ABSENT:
                raise
            self._model_must_exist()
            return None

    def _of_run(self, uri: str) -> ModelVersion | None:
        run_id = uri.removeprefix("runs:/").split("/")[0]
        query = f"name = {literal(self.model)} and run_id = {literal(run_id)}"
        found = self._client.search_model_versions(query)
        if len(found) > 1:
            numbers = ", ".join(sorted((str(v.version) for v in found), key=int))
            raise UsageError(f"{uri} is registered as the versions {numbers} of {self.model}: name one of them")
        if not found:
            self._model_must_exist()
        return found[0] if found else None

    def _model_must_exist(self) -> None:
        known = [model.name for model in self._client.search_registered_models()]
        if self.model not in known:
            where = without_secrets(self.uri)
            raise UsageError(f"no registered model {self.model!r} in {where}: {did_you_mean(self.model, known)}")

    def _version(self, found: ModelVersion) -> Version:
        return Version(
            self.model,
            str(found.version),
            run_id=found.run_id or "",
            source=found.source or "",
            tags=dict(found.tags),
        )

    @contextlib.contextmanager
    def _speaking(self, what: str) -> Iterator[None]:
        """Trouble in the registry, in one sentence; the client's notices about deprecations are not ours to repeat."""
        try:
            with quietly():
                yield
        except (UsageError, CouldNotEvaluate):
            raise
        except Exception as problem:  # noqa: BLE001 - the adapter's edge: any client error becomes one sentence
            where = without_secrets(self.uri)
            rights = f"Judging needs READ on {self.model!r}, promoting EDIT, on the model and on its runs' experiment"
            refused = refusal(problem, where, what, rights)
            sentence = f"the registry {where} did not answer while {what}: {first_line(problem)}"
            raise CouldNotEvaluate(refused or sentence) from None


def _parts(reference: str, model: str) -> tuple[str, str, str]:
    """(model, alias, number) of an alias, a number, ``models:/NAME@ALIAS`` or ``models:/NAME/NUMBER``."""
    name, rest = model, reference
    if reference.startswith("models:/"):
        body = reference.removeprefix("models:/")
        if "@" in body:
            name, _, alias = body.partition("@")
            return name, alias, ""
        name, _, rest = body.partition("/")
        if not rest.isdigit():
            raise UsageError(f"{reference}: write models:/{name}/NUMBER or models:/{name}@ALIAS")
    return (name, "", rest) if rest.isdigit() else (name, rest, "")


def _folder(version: Version) -> str:
    """Where among the artifacts of its run a version's texts are: one run may have made several versions."""
    return f"mlgates/{re.sub(r'[^A-Za-z0-9.-]', '_', version.model)}-v{version.number}"


def local_folder(uri: str) -> Path | None:
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    return Path(uri) if not parts.scheme else None
