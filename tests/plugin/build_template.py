"""Builds the registry that all plugin tests judge in: ``python build_template.py FOLDER``.

MLflow keeps absolute paths, so the models stay in FOLDER; a test copies the database and the golden set only.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from pytest_mlgates import fingerprint
from pytest_mlgates.adapters.scoring.scorer import ChildScorer
from pytest_mlgates.golden import read_golden
from pytest_mlgates.model import Scoring
from pytest_mlgates.pins import PinnedModel
from pytest_mlgates.ports import Version
from pytest_mlgates.settings import load

MODEL = "credit"
FEATURES = ["x1", "x2", "x3", "x4"]
SCRIPTS = Path(__file__).parent / "models"
#: name -> coefficients on the four features, of which the truth uses all.
LINEAR = {
    "champion": [1.0, 0.6, 0.0, 0.0],
    "better": [1.0, 1.0, 1.0, 0.0],
    "worse": [1.0, 0.2, -0.6, 0.0],
    "copy": [1.0, 0.6, 0.0, 0.0],
    "barely": [1.0, 0.6, 0.0, 0.03],
}
SCRIPTED = ["raises", "nan", "short", "labels", "dies", "exits", "hangs"]
#: version number of each, in the order of registration
NUMBER = {name: str(place) for place, name in enumerate([*LINEAR, *SCRIPTED], start=1)}

SETTINGS = """\
[tool.mlgates]
model = "credit"
golden = "golden.csv"
label = "y"
task = "binary"
registry = "sqlite:///mlflow.db"
ignore = ["id"]
group = "site"
"""


def people(rows: int, seed: int) -> pd.DataFrame:
    """Rows with an id, a site of ten people each, four features, and a label that depends on three of them."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(rows, len(FEATURES)))
    chance = 1 / (1 + np.exp(-(features[:, 0] + features[:, 1] + features[:, 2])))
    frame = pd.DataFrame(features, columns=FEATURES).round(6)
    frame.insert(0, "id", np.arange(rows))
    frame.insert(1, "site", [f"s{row // 10:03d}" for row in range(rows)])
    return frame.assign(y=(rng.random(rows) < chance).astype(int))


def linear(name: str, train: pd.DataFrame) -> LogisticRegression:
    model = LogisticRegression().fit(train[FEATURES], train.y)
    model.coef_ = np.array([LINEAR[name]])
    model.intercept_ = np.zeros(1)
    return model


def register(client: Any, folder: Path, name: str, train: pd.DataFrame) -> None:
    """Versions come out in the order of NUMBER. `better` is logged in a run, as people do; the rest is only saved."""
    run_id = None
    source = str(folder / "models" / name)
    if name == "better":
        with mlflow.start_run() as run:
            run_id = run.info.run_id
            logged = mlflow.sklearn.log_model(linear(name, train), name="model", pip_requirements=["scikit-learn"])
        source = logged.model_uri
    elif name in LINEAR:
        mlflow.sklearn.save_model(linear(name, train), source, pip_requirements=["scikit-learn"])
    else:
        mlflow.pyfunc.save_model(source, python_model=str(SCRIPTS / f"{name}.py"), pip_requirements=["mlflow"])
    made = client.create_model_version(MODEL, source, run_id, tags={"recipe": name})
    assert str(made.version) == NUMBER[name]


def keep_answers(folder: Path, client: Any) -> None:
    """Score the honest models once, so that the tests need not: the product's own cache goes with every copy."""
    settings = load(folder, {}, {})
    golden = read_golden(settings, fingerprint.of_file(settings.golden_file, "md5"))
    scorer = ChildScorer(timeout=60, environ=os.environ)
    pinned = {}
    for name in LINEAR:
        files = Path(client.get_model_version_download_uri(MODEL, NUMBER[name]).removeprefix("file://"))
        pinned[name] = PinnedModel(Version(MODEL, NUMBER[name]), name, str(files), fingerprint.of_folder(files))
    scoring = Scoring(settings, pinned, lambda: scorer, lambda: golden)
    scoring.ask("champion", "auto", golden.X)
    scoring.close()
    for lock in (folder / ".mlgates").rglob("*.lock"):
        lock.unlink()


def main(folder: Path) -> None:
    warnings.simplefilter("ignore")
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.ERROR)
    golden = folder / "golden.csv"
    people(1500, seed=1).to_csv(golden, index=False)
    pin(golden)
    (folder / "pyproject.toml").write_text(SETTINGS)
    mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    client = mlflow.MlflowClient()
    client.create_experiment("e", artifact_location=(folder / "artifacts").as_uri())
    mlflow.set_experiment("e")
    client.create_registered_model(MODEL)
    train = people(500, seed=2)
    for name in NUMBER:
        register(client, folder, name, train)
    client.set_registered_model_alias(MODEL, "champion", NUMBER["champion"])
    client.set_registered_model_alias(MODEL, "challenger", NUMBER["better"])
    keep_answers(folder, client)


def pin(file: Path) -> None:
    """The pointer that `dvc add` would write."""
    outs = {"md5": fingerprint.of_file(file, "md5"), "size": file.stat().st_size, "hash": "md5", "path": file.name}
    lines = [f"{'- ' if key == 'md5' else '  '}{key}: {value}" for key, value in outs.items()]
    file.with_name(f"{file.name}.dvc").write_text("\n".join(["outs:", *lines, ""]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
