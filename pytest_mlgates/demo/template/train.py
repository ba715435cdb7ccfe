"""Train a model that says who is employed, and register it in MLflow.

    python train.py champion      logistic regression
    python train.py challenger    gradient boosting
    python train.py worse         gradient boosting, with an honest mistake (see `working_age`)

Several recipes may be named at once. The golden set is never read here: it is for judging, not for training.
"""

from __future__ import annotations

import argparse
import logging
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow.sklearn
import pandas as pd
from mlflow.models import infer_signature
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder, StandardScaler

from pytest_mlgates import stamp

ROOT = Path(__file__).resolve().parent
TRAINING = ROOT / "data" / "train.parquet"
MODEL = "employment"
LABEL = "employed"
NOT_A_FEATURE = ["id", "year", LABEL]
PINS = [f"{name}=={version(name)}" for name in ("mlflow", "numpy", "pandas", "scikit-learn", "skops")]

# MLflow saves scikit-learn models with skops, which loads only types it knows or is told to trust.
TRUSTED = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]


def working_age(people: pd.DataFrame) -> pd.DataFrame:
    """Those aged 16 to 60: hardly anybody else works, so why teach on the others?

    It sounds right, and among these people the model it gives clearly beats the champion. But in production
    everybody gets a score, and of children and pensioners this model has never heard.
    """
    return people[people.AGEP.between(16, 60)]


def refusing(people: pd.DataFrame) -> ColumnTransformer:
    """Refuses what nobody can know: a code that is in no questionnaire, a missing value, text for a number.

    Without it the trees take an unknown code for a number and answer as if nothing were wrong. Known codes keep their
    order, so that the trees are the same as without.
    """
    codes = [name for name in people.columns if name not in ("AGEP", *NOT_A_FEATURE)]
    known = [sorted(people[name].unique()) for name in codes]
    age = FunctionTransformer(validate=True, feature_names_out="one-to-one")
    return ColumnTransformer([("age", age, ["AGEP"]), ("codes", OrdinalEncoder(categories=known), codes)])


def train(recipe: str, people: pd.DataFrame) -> tuple[Any, pd.DataFrame]:
    """The fitted model of that recipe, and the rows it was taught on."""
    rows = working_age(people) if recipe == "worse" else people
    model = (
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        if recipe == "champion"
        else make_pipeline(refusing(people), HistGradientBoostingClassifier(random_state=0))
    )
    return model.fit(rows.drop(columns=NOT_A_FEATURE), rows[LABEL]), rows


def register(recipe: str, people: pd.DataFrame) -> str:
    """Train, log and register one version; its number."""
    with mlflow.start_run(run_name=recipe) as run:
        model, rows = train(recipe, people)
        features = rows.drop(columns=NOT_A_FEATURE)
        mlflow.log_params({"recipe": recipe, "rows": len(rows), "estimator": type(model[-1]).__name__})
        logged = mlflow.sklearn.log_model(
            model,
            name="model",
            signature=infer_signature(features, rows[LABEL]),
            pip_requirements=PINS,
            serialization_format="skops",
            skops_trusted_types=TRUSTED,
        )
        new = mlflow.MlflowClient().create_model_version(
            MODEL,
            logged.model_uri,
            run.info.run_id,
            model_id=logged.model_id,
        )
    # Which run, code, data and environment it came from: what anyone needs to make it again.
    stamp(new, data=TRAINING)
    return str(new.version)


def connect() -> None:
    """Registry, runs and models live beside this file; no server, and none that the environment names."""
    registry = f"sqlite:///{ROOT / 'mlflow.db'}"
    mlflow.set_tracking_uri(registry)
    mlflow.set_registry_uri(registry)
    client = mlflow.MlflowClient()
    if client.get_experiment_by_name(MODEL) is None:
        client.create_experiment(MODEL, artifact_location=(ROOT / "mlartifacts").as_uri())
        client.create_registered_model(MODEL, description="Is this person employed?")
    mlflow.set_experiment(MODEL)


def quiet() -> None:
    """Leave out what MLflow says about new database tables, and about integer columns (none has gaps)."""
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", "Hint: Inferred schema contains integer column", UserWarning)


def alias(recipe: str, number: str) -> str | None:
    """Only the very first champion is named by hand; `pytest --mlgate --mlgate-apply` promotes later ones."""
    return {"champion": "champion" if number == "1" else None, "challenger": "challenger"}.get(recipe)


def main() -> None:
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=layout)
    parser.add_argument("recipe", nargs="+", choices=["champion", "challenger", "worse"])
    recipes = parser.parse_args().recipe
    quiet()
    connect()
    people = pd.read_parquet(TRAINING)
    for recipe in recipes:
        number = register(recipe, people)
        name = alias(recipe, number)
        if name:
            mlflow.MlflowClient().set_registered_model_alias(MODEL, name, number)
        print(f"{MODEL} version {number}: {recipe}, {f'alias {name}' if name else 'no alias'}", flush=True)


if __name__ == "__main__":
    main()
