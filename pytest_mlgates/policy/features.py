"""Did training see only what was known at the time, and does serving see the same?"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, field_validator, model_validator

from pytest_mlgates.errors import UsageError
from pytest_mlgates.policy.base import Names, Policy, as_tuple
from pytest_mlgates.policy.http import check_headers, check_url
from pytest_mlgates.wires import made

_PARITY = "[tool.mlgates.parity]"
_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}


def _as_duration(value: Any) -> Any:
    if isinstance(value, datetime.timedelta):
        return value
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(s|min|h|d)", value) if isinstance(value, str) else None
    if not found:
        raise ValueError(f'write a duration as a number and s, min, h or d, "36h" say, not {value!r}')
    return datetime.timedelta(seconds=float(found[1]) * _UNITS[found[2]])


#: Written as it is read, so that workers get what the controller has.
_written = PlainSerializer(lambda duration: f"{duration.total_seconds()}s", when_used="json")
Duration = Annotated[datetime.timedelta, BeforeValidator(_as_duration), _written, Field(gt=datetime.timedelta(0))]
Range = Annotated[tuple[float, float], BeforeValidator(as_tuple)]


class PointInTime(Policy):
    """What training read, a row a label event, and when each feature's value was known.

    `features`: feature -> the column that tells when its value was known; `events`: a file of all label events,
    joined on `keys`, or `rows`: how many a complete backfill has; `ranges`: what is possible; `window`: how far a
    feature looks back; `ttl`: how long the online store keeps a value; `interval`: how often it is written;
    `feast`: a Feast repository whose views' times to live are read; `expired`: tolerated share of training values
    that the online store would have dropped.
    """

    table: str = ""
    event_time: str = "event_timestamp"
    features: Mapping[str, str] = {}
    events: str = ""
    keys: Names = ()
    rows: Annotated[int, Field(ge=1)] | None = None
    ranges: Mapping[str, Range] = {}
    window: Duration | None = None
    ttl: Duration | None = None
    interval: Duration | None = None
    feast: str = ""
    expired: Annotated[float, Field(ge=0, lt=1)] = 0.0


class Parity(Policy):
    """The same raw rows through training's transform and through serving, value by value.

    `rows`: a file of raw rows, of which the first `sample` are asked; `transform`: training's function, a DataFrame in
    and one of features out, a row a row, as "package.module:function"; `serving`: a function of that kind that serving
    runs, or `url`: a service that answers features, asked with `path`, `template` and `answer` as the wire "json" is,
    `batch` rows a request; `key`: the column that names a row to people; `headers` take secrets from the environment:
    "Bearer env:NAME"; `tolerance` is relative; `timeout` in seconds.
    """

    rows: str = ""
    transform: str = ""
    serving: str = ""
    url: str = ""
    path: str = "/features"
    template: str = '{"rows": {records}}'
    answer: str = ""
    headers: Mapping[str, str] = {}
    key: str = ""
    sample: Annotated[int, Field(ge=1)] = 1000
    batch: Annotated[int, Field(ge=1)] = 100
    tolerance: Annotated[float, Field(ge=0, lt=0.1)] = 0.0001
    timeout: Annotated[float, Field(gt=0)] = 10.0

    @model_validator(mode="after")
    def _consistent(self) -> Parity:
        if self.url and self.serving:
            raise UsageError(f"{_PARITY}: url and serving are both given: keep the one that production uses")
        try:
            made("json", {"path": self.path, "template": self.template, "answer": self.answer})
        except UsageError as problem:
            raise UsageError(f"{_PARITY}: {problem}") from None
        return self

    @field_validator("url")
    @classmethod
    def _a_url(cls, url: str) -> str:
        return check_url(url, _PARITY)

    @field_validator("headers")
    @classmethod
    def _no_secrets(cls, headers: Mapping[str, str]) -> Mapping[str, str]:
        return check_headers(headers, _PARITY)
