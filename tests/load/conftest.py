"""`serve`: small servers that do what they were told, stopped by their own handle."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_mlgates.adapters.load.locust_load import LocustLoad
from pytest_mlgates.ports import Call, LoadTarget

from .servers import Serve, serving_all

BODY = b'{"dataframe_split": {"columns": ["x"], "data": [[1]]}}'


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A server with these options; its URL."""
    with serving_all() as start:
        yield start


@pytest.fixture
def load() -> Iterator[LocustLoad]:
    made = LocustLoad({})
    yield made
    made.stop()


def target(url: str, name: str = "challenger", body: bytes = BODY) -> LoadTarget:
    call = Call(f"{url}/invocations", body, {"Content-Type": "application/json"})
    return LoadTarget(name, (call,), 1, "mlflow", ([0.25],))
