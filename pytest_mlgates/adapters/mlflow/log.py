"""The ledger's log as a companion registered model: each of its versions is one entry, its facts are tags.

Creating a registered model and creating a version are the only atomic and ordered operations an MLflow registry
has; tags given at creation are stored in the same transaction. The client is imported when a log is opened.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pytest_mlgates.adapters.mlflow.client import (
    first_line,
    literal,
    open_client,
    quietly,
    refusal,
    without_secrets,
)
from pytest_mlgates.errors import ActionFailed, CouldNotEvaluate
from pytest_mlgates.ports import Row

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

SUFFIX = ".mlgates-ledger"
_MARK = "mlgates.ledger"
#: Servers refuse local paths, https and urn as a version's source; sqlite alone takes anything.
_NO_RUN = "mlgates:/entry"
_ABSENT = {"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND", "ENDPOINT_NOT_FOUND"}
_SENSELESS = {"INVALID_PARAMETER_VALUE", "FEATURE_DISABLED"}


class MlflowLog:
    """The log beside the registered model `model`, in the registry at `uri`."""

    def __init__(self, uri: str, model: str) -> None:
        self.uri = uri
        self.model = model
        self._client = open_client(uri)

    @property
    def name(self) -> str:
        return self.model + SUFFIX

    def exists(self) -> bool:
        with self._speaking("looking for the ledger"):
            return bool(self._client.search_registered_models(f"name = {literal(self.name)}", max_results=1))

    def create(self) -> bool:
        about = f"The promotion ledger of {self.model}, written by pytest-mlgates. Do not edit: entries are checked."
        with self._speaking("creating the ledger", writes=True):
            from mlflow.exceptions import MlflowException

            try:
                self._client.create_registered_model(self.name, description=about)
            except MlflowException as problem:
                if problem.error_code == "RESOURCE_ALREADY_EXISTS":
                    return False
                raise
        return True

    def rows(self, since: int = 1) -> list[Row]:
        which = f"name = {literal(self.name)}" + (f" and version_number >= {since}" if since > 1 else "")
        found: list[ModelVersion] = []
        token = None
        with self._speaking("reading the ledger"):
            while True:
                page = self._client.search_model_versions(which, order_by=["version_number ASC"], page_token=token)
                found += page
                token = page.token
                if not token:
                    break
        return [Row(int(version.version), dict(version.tags)) for version in found]

    def add(self, facts: Mapping[str, str], run: str = "") -> int:
        source = f"runs:/{run}/mlgates" if run else _NO_RUN
        with self._speaking("appending to the ledger", writes=True):
            made = self._client.create_model_version(
                self.name, source, run_id=run or None, tags=dict(facts), await_creation_for=0
            )
        return int(made.version)

    def note(self, number: int, key: str, value: str) -> None:
        with self._speaking(f"noting {key} on ledger entry {number}", writes=True):
            self._client.set_model_version_tag(self.name, str(number), key, value)

    def mark(self) -> str:
        with self._speaking("looking up the model"):
            return str(self._client.get_registered_model(self.model).tags.get(_MARK, ""))

    def set_mark(self, text: str) -> None:
        with self._speaking("marking the model", writes=True):
            self._client.set_registered_model_tag(self.model, _MARK, text)

    @contextlib.contextmanager
    def _speaking(self, what: str, *, writes: bool = False) -> Iterator[None]:
        try:
            with quietly():
                yield
        except Exception as problem:  # noqa: BLE001 - the adapter's edge: any client error becomes one sentence
            refusal = self._refusal(problem, what)
            if refusal and writes:
                raise ActionFailed(refusal) from None
            where = without_secrets(self.uri)
            sentence = f"the registry {where} did not answer while {what}: {first_line(problem)}"
            raise CouldNotEvaluate(refusal or sentence) from None

    def _refusal(self, problem: Exception, what: str) -> str:
        """Why the store said no; empty when it said nothing, and what was asked may have been done."""
        where, code, said = without_secrets(self.uri), getattr(problem, "error_code", ""), first_line(problem)
        rights = (
            f"Whoever promotes needs EDIT on {self.model!r} and on {self.name!r}; creating the ledger needs the right "
            "to create registered models"
        )
        refused = refusal(problem, where, what, rights)
        if refused:
            return refused
        if code in _ABSENT:
            return f"{what}: the registry {where} says {said}; was {self.name!r} or {self.model!r} deleted?"
        return f"the registry {where} refused {what}: {said}" if code in _SENSELESS else ""
