"""Who is told, who may tell us, and when to teach the model anew."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from pytest_mlgates.errors import UsageError
from pytest_mlgates.policy.base import Names, Policy

Channel = Literal["chat", "pager", "mail"]
_VARIABLE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*")
_Seconds = Annotated[float, Field(gt=0)]


def _from_environment(value: str, where: str) -> None:
    """Raises UsageError, which unlike ValueError does not show the value."""
    if value and not _VARIABLE.fullmatch(value):
        raise UsageError(f'{where} is a secret, which belongs in the environment: write "env:NAME"')


class Notify(Policy):
    """Channels are apprise URLs, named as "env:NAME"; `sev1` to `sev4` say which of them hear of what. The same message
    is told once in `quiet_s` seconds. `link` ("env:NAME" or a URL) leads to the report, the CI's job for example."""

    chat: Names = ()
    pager: Names = ()
    mail: Names = ()
    sev1: tuple[Channel, ...] = ("pager", "chat", "mail")
    sev2: tuple[Channel, ...] = ("pager", "chat", "mail")
    sev3: tuple[Channel, ...] = ("chat", "mail")
    sev4: tuple[Channel, ...] = ("chat",)
    quiet_s: Annotated[float, Field(ge=0)] = 3600.0
    timeout_s: Annotated[float, Field(gt=0, le=120)] = 15.0
    link: str = ""

    @model_validator(mode="before")
    @classmethod
    def _lists(cls, values: object) -> object:
        if not isinstance(values, dict):
            return values
        return {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}

    @model_validator(mode="after")
    def _no_secrets(self) -> Notify:
        for channel in ("chat", "pager", "mail"):
            for url in getattr(self, channel):
                _from_environment(url, f"a URL of [tool.mlgates.notify] {channel}")
        return self


class Webhook(Policy):
    """Who may tell us of an alert, and how it is checked. `token` (a bearer token) or `hmac` (a shared secret over
    timestamp and body), or both, as "env:NAME"; one of the two is needed to start.

    A post is refused when its signed timestamp is older than `replay_s`, or it is larger than `limit_bytes`. An alert
    counts when its label `model_label` is this model and Prometheus at `prometheus` still says that it fires. A look
    takes at most `look_s`; an alert that held is looked at again after `again_s`.
    """

    token: str = ""
    hmac: str = ""
    prometheus: str = ""
    model_label: Annotated[str, Field(min_length=1)] = "model"
    alerts: Names = ()
    limit_bytes: Annotated[int, Field(ge=1024, le=64 * 2**20)] = 2**20
    replay_s: _Seconds = 300.0
    again_s: _Seconds = 60.0
    look_s: _Seconds = 600.0
    remember: Annotated[int, Field(ge=10, le=1_000_000)] = 1000

    @model_validator(mode="after")
    def _no_secrets(self) -> Webhook:
        _from_environment(self.token, "token in [tool.mlgates.webhook]")
        _from_environment(self.hmac, "hmac in [tool.mlgates.webhook]")
        return self


class Retrain(Policy):
    """Teach the model anew when drift and decay come together: on `checks` looks in a row, `apart_s` seconds from each
    other or more, one of `drift` is above `psi` and one of `decay` has lost `loss` or more. `to` says where the one
    event goes: a file, an "env:NAME" with a URL, or "github:OWNER/REPOSITORY" with `github_token`.
    """

    drift: Names = ("live_skew",)
    decay: Names = ("rolling_quality",)
    psi: Annotated[float, Field(gt=0)] = 0.2
    loss: Annotated[float, Field(gt=0)] = 0.005
    checks: Annotated[int, Field(ge=1, le=1000)] = 2
    apart_s: Annotated[float, Field(ge=0)] = 3600.0
    to: str = ""
    github_token: str = ""
    event: Annotated[str, Field(min_length=1)] = "mlgates-retrain"

    @model_validator(mode="after")
    def _no_secrets(self) -> Retrain:
        _from_environment(self.github_token, "github_token in [tool.mlgates.retrain]")
        if self.to.startswith(("http:", "https:")):
            raise UsageError('to in [tool.mlgates.retrain] is a URL that may hold a secret: write "env:NAME"')
        if self.to.startswith("github:") and not (self.to.count("/") == 1 and self.github_token):
            raise UsageError(
                'to = "github:OWNER/REPOSITORY" in [tool.mlgates.retrain] needs github_token = "env:NAME" as well'
            )
        return self
