"""Small texts among the artifacts of a run in an MLflow tracking store."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pytest_mlgates.adapters.mlflow.client import first_line, open_client, quietly, without_secrets
from pytest_mlgates.errors import CouldNotEvaluate, UsageError


class RunTexts:
    """The texts of the runs in the store at `uri`. All raise CouldNotEvaluate when the store does not answer."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._client = open_client(uri)

    def write(self, run_id: str, name: str, text: str) -> None:
        """Keep `text` as the artifact `name` of a run, in place of what was there."""
        try:
            with quietly():
                self._client.log_text(run_id, text, name)
        except Exception as problem:  # noqa: BLE001 - the adapter's edge: any client error becomes one sentence
            raise self._trouble(f"keeping {name} with run {run_id}", problem) from None

    def read(self, run_id: str, name: str) -> str | None:
        """The artifact `name` of a run, or None when it has none."""
        try:
            with quietly(), tempfile.TemporaryDirectory() as folder:
                if name not in {file.path for file in self._client.list_artifacts(run_id)}:
                    return None
                return Path(self._client.download_artifacts(run_id, name, folder)).read_text(encoding="utf-8")
        except Exception as problem:  # noqa: BLE001 - as above
            raise self._trouble(f"reading {name} of run {run_id}", problem) from None

    def _trouble(self, doing: str, problem: Exception) -> CouldNotEvaluate:
        where = without_secrets(self.uri)
        return CouldNotEvaluate(f"the tracking store {where} did not answer while {doing}: {first_line(problem)}")


def keep_from_script(run_id: str, name: str, text: str) -> str:
    """Keep a text with a run (default: the active one) of the store that the calling script uses; the run's id.

    Raises UsageError when there is no run, CouldNotEvaluate when the store does not answer.
    """
    import mlflow

    active = mlflow.active_run()
    run = run_id or (active.info.run_id if active else "")
    if not run:
        raise UsageError("log_baseline() needs a run: give run_id, or call it inside `with mlflow.start_run()`")
    try:
        # The script's own client, which is as patient as its environment says.
        mlflow.MlflowClient().log_text(run, text, name)
    except Exception as problem:  # noqa: BLE001 - as above
        where = without_secrets(mlflow.get_tracking_uri())
        raise CouldNotEvaluate(f"{name} could not be kept with run {run} in {where}: {first_line(problem)}") from None
    return str(run)
