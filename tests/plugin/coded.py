"""Models whose input has a code of a questionnaire (SCHL), as the fixture `coded` registers them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlrepo import Repo

FEATURES = ["x1", "x2", "x3", "x4", "SCHL"]
CODES = 6
#: A pyfunc model that does `TROUBLE` when it meets an unknown code, and is a fixed line otherwise.
SCRIPT = """
import os, signal
import mlflow, numpy as np
from mlflow.pyfunc import PythonModel

class Coded(PythonModel):
    def predict(self, context, model_input, params=None):
        rows = model_input[["x1", "x2", "x3", "x4", "SCHL"]].astype(float).to_numpy()
        if not np.isfinite(rows).all():
            raise ValueError("no finite number")
        if not set(rows[:, 4]) <= set(range(6)):
            TROUBLE
        return 1 / (1 + np.exp(-rows[:, :3].clip(-50, 50).sum(axis=1) - rows[:, 4] / 10))

mlflow.models.set_model(Coded())
"""
SCRIPTED = {
    "refuses": 'raise ValueError("unknown code")',
    "dies": "os.kill(os.getpid(), signal.SIGKILL)",
    "hangs": "signal.pause()",
    "nan": "return np.full(len(rows), np.nan)",
}
MANIFEST = """\
mlgates_manifest: 1
model: credit
output: {low: 0.0, high: 1.0}
columns:
  x1: {extreme: allowed, reason: a line goes on}
  x2: {extreme: allowed, reason: a line goes on}
  x3: {extreme: allowed, reason: a line goes on}
  x4: {extreme: allowed, reason: a line goes on}
"""


def code(number: int) -> int:
    """The code of a golden row."""
    return number * 7 % CODES


def people(rows: int = 600) -> tuple[pd.DataFrame, Any]:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(rng.normal(size=(rows, 4)), columns=FEATURES[:4])
    frame["SCHL"] = np.arange(rows) % CODES
    chance = 1 / (1 + np.exp(-(frame.x1 + frame.x2 + frame.x3 + frame.SCHL / 10)))
    return frame, (rng.random(rows) < chance).astype(int)


def encoded(**options: Any) -> Any:
    """Logistic regression on the numbers and the code, which OrdinalEncoder(**options) encodes."""
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OrdinalEncoder

    columns = ColumnTransformer(
        [("x", "passthrough", FEATURES[:4]), ("code", OrdinalEncoder(**options), ["SCHL"])],
        verbose_feature_names_out=True,
    )
    frame, y = people()
    return make_pipeline(columns, LogisticRegression()).fit(frame, y)


def build(folder: Path) -> None:
    """Save every model in `folder`, a folder each."""
    import mlflow.pyfunc
    import mlflow.sklearn

    made = {"honest": encoded(), "maps": encoded(handle_unknown="use_encoded_value", unknown_value=-1)}
    for name, model in made.items():
        mlflow.sklearn.save_model(model, str(folder / name), pip_requirements=["scikit-learn"])
    for name, trouble in SCRIPTED.items():
        script = folder / f"{name}.py"
        script.write_text(SCRIPT.replace("TROUBLE", trouble))
        mlflow.pyfunc.save_model(str(folder / name), python_model=str(script), pip_requirements=["mlflow"])


def with_codes(repo: Repo, folder: Path) -> dict[str, str]:
    """Give the golden set of `repo` a column SCHL, and register the models of `folder`; name -> version. The first is
    judged without a champion.
    """
    import mlflow

    def change(lines: list[str]) -> list[str]:
        head = lines[0].rsplit(",", 1)
        rows = [line.rsplit(",", 1) for line in lines[1:]]
        return [",".join([head[0], "SCHL", head[1]]), *(f"{a},{code(n)},{b}" for n, (a, b) in enumerate(rows))]

    repo.rewrite_golden(change)
    repo.forget()
    client = mlflow.MlflowClient(f"sqlite:///{repo.path / 'mlflow.db'}")
    names = ["honest", "maps", *SCRIPTED]
    versions = {name: client.create_model_version("credit", str(folder / name)).version for name in names}
    repo.point("champion", None)
    repo.write("manifest.yaml", MANIFEST)
    return {name: str(version) for name, version in versions.items()}
