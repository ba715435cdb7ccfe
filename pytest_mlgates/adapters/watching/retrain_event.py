"""Where the event to teach a model anew goes: a file, a URL, or a GitHub repository's workflows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_mlgates.adapters.serving.http_client import Client, tls_context
from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.ports.serving import Call

if TYPE_CHECKING:
    from typing import Protocol

    class _Policy(Protocol):
        @property
        def to(self) -> str: ...
        @property
        def github_token(self) -> str: ...
        @property
        def event(self) -> str: ...


_TIMEOUT = 15.0
_GITHUB = "https://api.github.com"


def send_event(
    policy: _Policy, event: Mapping[str, Any], base: Path, environ: Mapping[str, str], github: str = _GITHUB
) -> None:
    """Raises CouldNotEvaluate when it did not arrive, naming no URL that may be a secret."""
    if policy.to.startswith("github:"):
        place = policy.to.removeprefix("github:")
        body = {"event_type": policy.event, "client_payload": dict(event)}
        token = _from(environ, policy.github_token)
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
        _post(f"{github}/repos/{place}/dispatches", body, headers, f"GitHub ({place})")
    elif policy.to.startswith("env:"):
        _post(_from(environ, policy.to), event, {}, f"what {policy.to.removeprefix('env:')} names")
    else:
        file = base / policy.to
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(event) + "\n")
        except OSError as problem:
            raise CouldNotEvaluate(f"{file} cannot be written: {problem.strerror}") from None


def _post(url: str, body: Mapping[str, Any], headers: Mapping[str, str], who: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise CouldNotEvaluate(f"{who} is no URL")
    told = {"Content-Type": "application/json", "User-Agent": "pytest-mlgates", **headers}
    client = Client(url, _TIMEOUT, tls_context(verify=True, ca="") if url.startswith("https:") else None)
    try:
        reply = client.send(Call(url, json.dumps(body).encode(), told))
    except CouldNotEvaluate as problem:
        raise CouldNotEvaluate(f"{who}: {problem}") from None
    finally:
        client.close()
    if not 200 <= reply.status < 300:
        raise CouldNotEvaluate(f"{who} answers HTTP {reply.status}")


def _from(environ: Mapping[str, str], name: str) -> str:
    variable = name.removeprefix("env:")
    if not environ.get(variable):
        raise CouldNotEvaluate(f"{variable} is not set in the environment")
    return environ[variable]
