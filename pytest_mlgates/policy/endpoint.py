"""Where the models answer over HTTP, and how they are asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from pytest_mlgates.errors import UsageError
from pytest_mlgates.policy.base import Policy
from pytest_mlgates.policy.http import check_headers, check_url
from pytest_mlgates.wires import OWN, WIRES, made

_TABLE = "[tool.mlgates.endpoint]"
#: Setting -> the option of a wire.
_OPTIONS = {
    "server_name": "model",
    "path": "path",
    "template": "template",
    "answer": "answer",
    "input": "input",
    "datatype": "datatype",
    "end": "end",
}


def _wire(name: str) -> str:
    """A shipped name, one that a plugin added, or an import path."""
    if name in WIRES or name in OWN or ":" in name:
        return name
    names = [repr(one) for one in (*WIRES, *OWN)]
    expected = f"{', '.join(names[:-1])} or {names[-1]}"
    raise PydanticCustomError("literal_error", "it should be {expected}", {"expected": expected})


class Endpoint(Policy):
    """Without a URL the version is served on loopback, by MLflow's own scoring server.

    `wire` and the keys below it are the protocol; `output` says what is answered, which is found out when it is not
    said; `headers` take secrets from the environment: "Bearer env:NAME"; times are in seconds.
    """

    challenger_url: str = ""
    champion_url: str = ""
    wire: Annotated[str, AfterValidator(_wire)] = "mlflow"
    server_name: str = ""
    path: str = ""
    template: str = ""
    answer: str | None = None
    input: str = ""
    datatype: str = ""
    end: str | None = None
    output: Literal["auto", "scores", "labels"] = "auto"
    headers: Mapping[str, str] = {}
    timeout: Annotated[float, Field(gt=0)] = 10.0
    start_timeout: Annotated[float, Field(gt=0)] = 60.0
    verify_tls: bool = True
    ca: str = ""
    records: Annotated[int, Field(ge=1, le=1000)] = 5
    tolerance: Annotated[float, Field(ge=0, lt=0.1)] = 0.0001

    @property
    def spec(self) -> str:
        """What `wires.by_name` makes the protocol of."""
        return made(self.wire, self._options()).spec

    def url_of(self, role: str) -> str:
        return self.champion_url if role == "champion" else self.challenger_url

    @field_validator("challenger_url", "champion_url")
    @classmethod
    def _a_url(cls, url: str) -> str:
        return check_url(url, _TABLE)

    @field_validator("headers")
    @classmethod
    def _no_secrets(cls, headers: Mapping[str, str]) -> Mapping[str, str]:
        return check_headers(headers, _TABLE)

    @model_validator(mode="after")
    def _consistent(self) -> Endpoint:
        if self.challenger_url and self.challenger_url == self.champion_url:
            raise UsageError(f"{_TABLE}: challenger_url and champion_url are one: an endpoint compared with itself")
        try:
            made(self.wire, self._options())
        except UsageError as problem:
            raise UsageError(f"{_TABLE}: {problem}") from None
        return self

    def _options(self) -> dict[str, Any]:
        given = {option: getattr(self, key) for key, option in _OPTIONS.items()}
        may_be_empty = ("answer", "end")
        return {key: value for key, value in given.items() if value is not None and (value or key in may_be_empty)}
