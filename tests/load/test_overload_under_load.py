"""The gate `overload` with a real Locust on servers that refuse and that queue: the same capacity, another manner."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pytest_mlgates.adapters.load.locust_load import LocustLoad
from pytest_mlgates.adapters.serving.http_endpoint import HttpEndpoint
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.measure.load.overload import past_capacity
from pytest_mlgates.policy import Overload
from pytest_mlgates.rules import at_most
from pytest_mlgates.verdict import Verdict

from .servers import Serve

POLICY = Overload(rate=1600, burst_s=2, wait_s=0.5, refuse_ms=250)
#: Two at a time, ten milliseconds each: 200 a second.
SLOW = ("--service", 10, "--spread", 0, "--capacity", 2)
WAITED, FAILED = "requests that waited too long", "requests that failed otherwise than by 429 or 503"
REFUSED = "refusals that took more than 250 ms"


@pytest.fixture
def golden() -> GoldenSet:
    rows = pd.DataFrame({"x": [1.0, 2.0, 3.0]})
    return GoldenSet(rows, np.array([0, 1, 0]), rows[[]], None, None, "0" * 32, Path("golden.csv"))


def judged(url: str, load: LocustLoad, golden: GoldenSet) -> dict[str, Verdict]:
    endpoint = HttpEndpoint("challenger", url, "mlflow")
    try:
        burst, back = past_capacity(load, endpoint, golden, POLICY, lambda said: None)
    finally:
        endpoint.close()
    assert back.details["rate"] > back.details["capacity"]
    verdicts = {one.measure: at_most(POLICY.errors)(one).verdict for one in burst}
    return {**verdicts, "back": at_most(POLICY.recover_s)(back).verdict}


@pytest.mark.long
def test_a_server_that_refuses_at_once_passes(serve: Serve, load: LocustLoad, golden: GoldenSet) -> None:
    found = judged(serve(*SLOW, "--refuses"), load, golden)
    assert found == dict.fromkeys((WAITED, FAILED, REFUSED, "back"), Verdict.PASS)


@pytest.mark.long
def test_a_server_that_lets_everybody_queue_fails(serve: Serve, load: LocustLoad, golden: GoldenSet) -> None:
    found = judged(serve(*SLOW), load, golden)
    assert found[WAITED] is Verdict.FAIL
