"""The gate `behaviour` over MLflow's own scoring server, as it is: what its statuses mean, model by model."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from pytest_mlgates.adapters.serving.mlflow_endpoint import MlflowEndpoint
from pytest_mlgates.doors.declared import over_http
from pytest_mlgates.evidence import Evidence
from pytest_mlgates.golden import GoldenSet
from pytest_mlgates.manifest import parsed
from pytest_mlgates.measure.behaviour import behaviours
from pytest_mlgates.policy import Behaviour
from pytest_mlgates.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[1] / "plugin"))
from coded import MANIFEST, SCRIPT, people

pytestmark = pytest.mark.services

#: What the model does when a cell is null, and when a code is unknown.
MODELS = {
    "refuses": ('raise ValueError("no finite number")', 'raise ValueError("unknown code")'),
    "careless": (
        "return np.zeros(0) if np.isnan(rows[0, 0]) else np.array([object()] * len(rows))",
        "return np.full(len(rows), np.nan)",
    ),
    "dies": ('raise ValueError("no finite number")', "os.kill(os.getpid(), signal.SIGKILL)"),
}
Judge = Callable[[str], dict[str, Evidence]]


@pytest.fixture
def judge(tmp_path: Path) -> Iterator[Judge]:
    """Property -> evidence, for the model that does this, served by MLflow."""
    import mlflow.pyfunc
    import yaml

    frame, y = people(60)
    golden = GoldenSet(frame, y, frame[[]], None, None, "0" * 32, tmp_path / "golden.csv")
    told = Settings.model_validate({"model": "credit", "golden": "golden.csv", "label": "y", "task": "binary"})
    settings, declared = told.model_copy(update={"base": tmp_path}), parsed(yaml.safe_load(MANIFEST), "manifest.yaml")
    opened: list[MlflowEndpoint] = []

    def run(name: str) -> dict[str, Evidence]:
        script = tmp_path / "model.py"
        null, unknown = MODELS[name]
        script.write_text(SCRIPT.replace('raise ValueError("no finite number")', null).replace("TROUBLE", unknown))
        mlflow.pyfunc.save_model(str(tmp_path / "model"), python_model=str(script), pip_requirements=["mlflow"])
        opened.append(MlflowEndpoint("credit v2", tmp_path / "model", tmp_path / "run", environ=os.environ))
        opened[-1].until_answering(golden.X.head(3), 120)
        policy = Behaviour(examples=3, seconds=60)
        found = behaviours(golden, [over_http(opened[-1])], declared, None, policy, settings, lambda _: None)
        return {one.measure.removesuffix(" kept"): one for one in found}

    yield run
    for endpoint in opened:
        endpoint.close()


def test_a_model_that_raises_is_answered_with_400_which_refuses(judge: Judge) -> None:
    found = judge("refuses")
    assert {name: one.value for name, one in found.items()} == dict.fromkeys(found, 1.0)
    assert len(found) == 9
    assert np.sum([one.n for one in found.values()]) > 50


def test_nothing_else_refuses(judge: Judge) -> None:
    """200 with NaN, 200 with too few answers, and 500 where an answer cannot be written as JSON."""
    found = judge("careless")
    no_answer = "breaks it: HTTP 200 with no right answer"
    assert found["unknown category"].value == 0
    assert f"{no_answer}: row 0 is answered nan" in found["unknown category"].details["reason"]
    assert found["null"].value == 0
    said = {one["column"]: one["sentence"] for one in found["null"].details["counterexamples"]}
    assert said["x1"] == f"x1 = null {no_answer}: 0 answers for 1 rows"
    assert said["x2"].startswith("x2 = null breaks it: HTTP 500")
    assert (found["answers"].value, found["missing column"].value) == (1, 1)


def test_a_server_that_dies_of_a_row_is_a_finding(judge: Judge) -> None:
    """Whatever is asked of it afterwards is not answered either, and is not passed."""
    found = judge("dies")
    assert found["answers"].value == 1
    assert found["unknown category"].value == 0
    assert " breaks it: " in found["unknown category"].details["reason"]
    assert found["missing column"].value == 0
