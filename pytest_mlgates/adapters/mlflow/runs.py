"""The runs of an MLflow tracking store. The client is imported when the store is opened."""

from __future__ import annotations

from pytest_mlgates.adapters.mlflow.client import first_line, open_client, quietly, without_secrets
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports import TrackedRun

_COMMIT = "mlflow.source.git.commit"


class MlflowRuns:
    """The runs in the store at `uri`."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._client = open_client(uri)

    def run(self, run_id: str) -> TrackedRun | None:
        """The run, or None when there is none. Raises CouldNotEvaluate."""
        try:
            with quietly():
                found = self._client.get_run(run_id)
        except Exception as problem:  # noqa: BLE001 - the adapter's edge: any client error becomes one sentence
            if getattr(problem, "error_code", "") in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None
            where = without_secrets(self.uri)
            raise CouldNotEvaluate(
                f"the tracking store {where} did not answer while looking up run {run_id}: {first_line(problem)}"
            ) from None
        ended = found.info.end_time or found.info.start_time
        return TrackedRun(
            found.data.tags.get(_COMMIT, ""),
            deleted=found.info.lifecycle_stage == "deleted",
            ended=ended / 1000 if ended else None,
        )


def present_uri() -> str:
    """The registry that MLflow itself would use in this process, as a training script has set it."""
    import mlflow

    return str(mlflow.get_registry_uri())
