"""What every MLflow adapter shares: a client opened quickly, kept quiet, and quoted without secrets."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from pytest_mlgates.errors import CouldNotEvaluate, UsageError

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

#: Without these the client retries a dead server for minutes, and draws progress bars over what we print.
_PATIENCE = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


def without_secrets(uri: str) -> str:
    """`uri` without user, password and query, fit for a report."""
    parts = urlsplit(uri)
    if not parts.netloc:
        return uri
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def has_password(uri: str) -> bool:
    return bool(urlsplit(uri).password)


def resolved_uri(uri: str, base: Path, environ: Mapping[str, str]) -> str:
    """The registry's URI: from the settings (a relative sqlite file is relative to `base`), else MLflow's own.

    Raises UsageError when none is given, or a sqlite file does not exist: MLflow would make an empty one.
    """
    given = uri or environ.get("MLFLOW_REGISTRY_URI") or environ.get("MLFLOW_TRACKING_URI") or ""
    if not given:
        raise UsageError('no registry: write registry = "sqlite:///mlflow.db" or set MLFLOW_TRACKING_URI')
    if not given.startswith("sqlite:///"):
        return given
    file = Path(given.removeprefix("sqlite:///"))
    file = file if file.is_absolute() else base / file
    if not file.is_file():
        raise UsageError(f"registry {given}: there is no file {file}; give the path of an existing MLflow database")
    return f"sqlite:///{file}"


def open_client(uri: str) -> MlflowClient:
    """A client whose every call belongs in `quietly`. Raises CouldNotEvaluate."""
    try:
        with _without_collecting(), quietly():
            from mlflow.tracking import MlflowClient

            return MlflowClient(tracking_uri=uri, registry_uri=uri)
    except Exception as problem:  # noqa: BLE001 - the adapter's edge
        where = without_secrets(uri)
        raise CouldNotEvaluate(f"the registry {where} cannot be opened: {first_line(problem)}") from None


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """What goes wrong is raised, soon, and said once; the client's notices and tracebacks are not repeated.

    MLflow reads its patience from the environment at each request, which is the user's again afterwards: their tests
    and training scripts have clients of their own.
    """
    logger = logging.getLogger("mlflow")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    ours = {name: value for name, value in _PATIENCE.items() if name not in os.environ}
    os.environ.update(ours)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name in ours:
            os.environ.pop(name, None)
        logger.setLevel(level)


@contextlib.contextmanager
def _without_collecting() -> Iterator[None]:
    """Nothing that a large import makes is garbage, so looking for some, now or at pytest's end, is time lost."""
    import gc

    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


def literal(text: str) -> str:
    """`text` in MLflow's filter language, which knows two kinds of quotes and no escape.

    Raises UsageError for a text that has both.
    """
    if "'" not in text:
        return f"'{text}'"
    if '"' in text:
        raise UsageError(f"{text!r} has both kinds of quotes, which MLflow cannot search for: rename the model")
    return f'"{text}"'


def refusal(problem: Any, where: str, what: str, rights: str) -> str:
    """Why a store that knows, or does not know, who asks said no, and the fix; "" for any other trouble.

    `where` is its URI without secrets, `rights` the sentence that names the permission.
    """
    code, said = getattr(problem, "error_code", ""), first_line(problem)
    if code == "PERMISSION_DENIED":
        return f"the registry {where} does not allow {what}: {said}. {rights}"
    if code == "UNAUTHENTICATED":
        return (
            f"the registry {where} does not accept the login while {what}: {said}. Set MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN, to one that is still valid"
        )
    return ""


_CREDENTIALS = re.compile(r"(?<=://)[^/\s]+@")


def first_line(problem: Any) -> str:
    """The kind and first line of an error, without what a URI in it may give away."""
    lines = _CREDENTIALS.sub("", str(problem)).strip().splitlines()
    return f"{type(problem).__name__}: {lines[0][:300]}" if lines else type(problem).__name__
