"""A repository that nobody here laid out, on scikit-learn's breast-cancer data: ``python elsewhere.py FOLDER``.

Tissue samples in `samples/holdout.parquet`, the diagnosis as words, an identifier of the slide, the clinic's name; the
model is `tissue`, its aliases are `live` and `candidate`. Nothing is pinned by DVC yet, and there are no settings.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import warnings
from pathlib import Path

import mlflow
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

#: Texture, symmetry and the like: with the sizes the task is too easy for two models to differ.
MEASURED = ["mean texture", "mean smoothness", "mean symmetry", "mean fractal dimension", "texture error"]
TRAINED_ON = 170


def tissue() -> pd.DataFrame:
    bunch = load_breast_cancer(as_frame=True)
    frame = bunch.frame[MEASURED].rename(columns=lambda name: str(name).replace(" ", "_"))
    frame = frame.assign(diagnosis=bunch.frame["target"].map({0: "malignant", 1: "benign"}))
    frame.insert(0, "slide_id", [f"S-{number:04d}" for number in range(len(frame))])
    frame.insert(1, "clinic", [("north", "south", "west")[number % 3] for number in range(len(frame))])
    return frame.sample(frac=1, random_state=7).reset_index(drop=True)


def main(root: Path) -> None:
    warnings.simplefilter("ignore")
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.ERROR)
    rows = tissue()
    (root / "samples").mkdir()
    rows[:TRAINED_ON].to_csv(root / "samples" / "training.csv", index=False)
    rows[TRAINED_ON:].to_parquet(root / "samples" / "holdout.parquet", index=False)
    inputs = [name for name in rows.columns if name not in ("slide_id", "clinic", "diagnosis")]
    (root / "store").mkdir()
    mlflow.set_tracking_uri(f"sqlite:///{root / 'store' / 'tracking.db'}")
    client = mlflow.MlflowClient()
    client.create_experiment("slides", artifact_location=(root / "store" / "files").as_uri())
    mlflow.set_experiment("slides")
    train = rows[:TRAINED_ON]
    for alias, used in (("live", inputs[2:4]), ("candidate", inputs)):
        weights = {name: 1.0 if name in used else 0.0 for name in inputs}
        kept = train[inputs] * pd.Series(weights)
        model = make_pipeline(StandardScaler(), LogisticRegression()).fit(kept, train["diagnosis"])
        with mlflow.start_run():
            mlflow.sklearn.log_model(
                model,
                name="model",
                registered_model_name="tissue",
                signature=mlflow.models.infer_signature(train[inputs]),
                pip_requirements=["scikit-learn"],
            )
        newest = max(int(one.version) for one in client.search_model_versions("name = 'tissue'"))
        client.set_registered_model_alias("tissue", alias, str(newest))
    for words in (["init", "-q"], ["add", "samples/training.csv"]):
        subprocess.run(["git", *words], cwd=root, check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
