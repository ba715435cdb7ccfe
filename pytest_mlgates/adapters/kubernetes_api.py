"""The official client, opened for one named context, with plain dictionaries out and one sentence for each trouble.

Objects stay dictionaries: the client's own classes refuse what a newer server adds, and differ between client 31 to
36 and the pydantic-based 37; the raw answer is the same in all.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.validation import did_you_mean

Object = dict[str, Any]
#: The context that means: the service account of the pod this runs in.
IN_CLUSTER = "in-cluster"
#: Seconds to connect, and to wait for an answer.
_TIMEOUT = (5, 20)


class Refused(Exception):
    """An answer of the API server that is no success."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status, self.reason = status, reason


class Api:
    """`core` and `apps` are the client's own; `raw` and `watch` call one of their methods."""

    def __init__(self, kubeconfig: str, context: str) -> None:
        self.context = context
        kubernetes = _client()
        configuration = _configuration(kubernetes, kubeconfig, context)
        configuration.retries = False
        self._exception = kubernetes.client.exceptions.ApiException
        self.models = kubernetes.client
        self.transport = kubernetes.client.ApiClient(configuration)
        self.core = kubernetes.client.CoreV1Api(self.transport)
        self.apps = kubernetes.client.AppsV1Api(self.transport)
        self._version = kubernetes.client.VersionApi(self.transport)

    @property
    def host(self) -> str:
        return str(self.transport.configuration.host).rstrip("/")

    def auth(self) -> dict[str, str]:
        """The headers that say who we are; asked for anew, because tokens are renewed."""
        known = self.transport.configuration.auth_settings().values()
        return {one["key"]: one["value"] for one in known if one["in"] == "header" and one["value"]}

    def server(self) -> str:
        """The server's own version string."""
        return str(self.raw(self._version.get_code)["gitVersion"])

    def raw(self, call: Callable[..., Any], *args: Any, **words: Any) -> Any:
        """The answer as a dictionary, or as text where it is none.

        Raises Refused for an answer that is no success, CouldNotEvaluate when there is none, or for 401.
        """
        with self._speaking():
            answer = call(*args, **words, _preload_content=False, _request_timeout=_TIMEOUT)
            text = answer.data.decode(errors="replace")
        try:
            return json.loads(text)
        except ValueError:
            return text

    def watch(self, call: Callable[..., Any], *args: Any, since: str, seconds: float, **words: Any) -> Iterator[Object]:
        """Each object as it changes after `since`, with what became of it under "event" (ADDED, MODIFIED, DELETED);
        ends after `seconds`, or when the server has forgotten `since` and the caller must list again."""
        whole = max(1, int(seconds))
        with self._speaking():
            answer = call(
                *args,
                **words,
                watch=True,
                resource_version=since,
                timeout_seconds=whole,
                _preload_content=False,
                _request_timeout=(_TIMEOUT[0], whole + _TIMEOUT[1]),
            )
        try:
            for line in _lines(answer, time.monotonic() + seconds):
                told = json.loads(line)
                if told["type"] == "ERROR":
                    return
                yield {**told["object"], "event": told["type"]}
        except Exception as problem:
            if isinstance(problem, (GeneratorExit, KeyError)) or not _is_transport(problem):
                raise
        finally:
            answer.close()

    def close(self) -> None:
        self.transport.rest_client.pool_manager.clear()

    @contextlib.contextmanager
    def _speaking(self) -> Iterator[None]:
        try:
            yield
        except self._exception as problem:
            if not problem.status:
                raise CouldNotEvaluate(f"{self._place()} cannot be reached: {problem.reason}") from None
            status, reason, message = _status(problem)
            if status == 401:
                raise CouldNotEvaluate(
                    f"{self._place()} does not know who we are (401): the credentials of context {self.context!r} "
                    "are wrong or have expired"
                ) from None
            raise Refused(status, reason, message) from None
        except Exception as problem:
            if not _is_transport(problem):
                raise
            raise CouldNotEvaluate(f"{self._place()} cannot be reached: {_short(problem)}") from None

    def _place(self) -> str:
        return f"the API server of context {self.context!r} ({self.host})"


def _client() -> Any:
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


def _configuration(kubernetes: Any, kubeconfig: str, context: str) -> Any:
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
    except trouble as problem:
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


def _status(problem: Any) -> tuple[int, str, str]:
    body = problem.body.decode(errors="replace") if isinstance(problem.body, bytes) else str(problem.body or "")
    try:
        told = json.loads(body)
        return problem.status, str(told.get("reason", "")), str(told.get("message", problem.reason))
    except (ValueError, AttributeError):
        return problem.status, "", (body or str(problem.reason))[:300]


def _lines(answer: Any, until: float) -> Iterator[bytes]:
    rest = b""
    for part in answer.stream(amt=None, decode_content=False):
        *lines, rest = (rest + part).split(b"\n")
        yield from (line for line in lines if line.strip())
        if time.monotonic() > until:
            return


def _is_transport(problem: BaseException) -> bool:
    """Trouble on the way: the client lets that of its transport through as it is."""
    return isinstance(problem, OSError) or type(problem).__module__.partition(".")[0] == "urllib3"


def _short(problem: BaseException) -> str:
    words = str(problem).rpartition(": ")[2] if "refused" in str(problem) else str(problem)
    return words[:200]
