"""Honest models as MLflow saves them, library by library: each saves one into a folder."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple


class Benign(NamedTuple):
    """`library` is what it needs beside MLflow and scikit-learn; `save` writes the model into a new folder."""

    name: str
    library: str
    save: Callable[[Path], None]


ALL: list[Benign] = []


def installed(models: list[Benign]) -> list[Benign]:
    return [one for one in models if importlib.util.find_spec(one.library)]


def model(library: str) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    def keep(save: Callable[[Path], None]) -> Callable[[Path], None]:
        ALL.append(Benign(save.__name__, library, save))
        return save

    return keep


def data(rows: int = 60) -> tuple[Any, Any]:
    """A frame of four numeric columns and a label."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.random((rows, 4)), columns=list("abcd"))
    return frame, (frame["a"] + frame["b"] > 1).astype(int)


def mixed(rows: int = 60) -> tuple[Any, Any]:
    """The same with a column of words."""
    frame, label = data(rows)
    return frame.assign(word=["red", "green", "blue"] * (rows // 3)), label


def sklearn(path: Path, estimator: Any, form: str = "cloudpickle", frame: Any = None) -> None:
    """Fits it if it is not fitted, and saves it."""
    import mlflow.sklearn

    features, label = data() if frame is None else frame
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = estimator.fit(features, label)
        trusted = None
        if form == "skops":
            import skops.io

            trusted = skops.io.get_untrusted_types(data=skops.io.dumps(fitted))
        mlflow.sklearn.save_model(
            fitted, path, serialization_format=form, pip_requirements=["scikit-learn"], skops_trusted_types=trusted
        )


def _plain(name: str, make: Callable[[], Any], form: str, frame: Callable[[], Any] = data) -> None:
    def save(path: Path) -> None:
        sklearn(path, make(), form, frame())

    ALL.append(Benign(f"sklearn_{name}_{form}", "sklearn", save))


def _estimators() -> dict[str, Callable[[], Any]]:
    import numpy as np
    from scipy import stats
    from sklearn import (
        calibration,
        cluster,
        decomposition,
        dummy,
        ensemble,
        feature_selection,
        gaussian_process,
        isotonic,
        kernel_approximation,
        linear_model,
        model_selection,
        multiclass,
        naive_bayes,
        neighbors,
        neural_network,
        preprocessing,
        svm,
        tree,
    )
    from sklearn.pipeline import make_pipeline

    plain = linear_model.LogisticRegression
    return {
        "logistic": plain,
        "ridge": linear_model.RidgeCV,
        "sgd": linear_model.SGDClassifier,
        "tree": tree.DecisionTreeClassifier,
        "forest": lambda: ensemble.RandomForestClassifier(10),
        "boosting": lambda: ensemble.GradientBoostingClassifier(n_estimators=10),
        "histogram_boosting": lambda: ensemble.HistGradientBoostingClassifier(max_iter=10),
        "isolation_forest": lambda: ensemble.IsolationForest(n_estimators=10),
        "bagging": lambda: ensemble.BaggingClassifier(n_estimators=3),
        "voting": lambda: ensemble.VotingClassifier([("a", plain()), ("b", tree.DecisionTreeClassifier())]),
        "stacking": lambda: ensemble.StackingClassifier([("a", plain()), ("b", tree.DecisionTreeClassifier())]),
        "neighbours": neighbors.KNeighborsClassifier,
        "bayes": naive_bayes.GaussianNB,
        "support_vectors": lambda: svm.SVC(),
        "network": lambda: neural_network.MLPClassifier(max_iter=20),
        "gaussian_process": lambda: gaussian_process.GaussianProcessClassifier(),
        "kmeans": lambda: cluster.KMeans(2, n_init=1),
        "pca": lambda: make_pipeline(preprocessing.StandardScaler(), decomposition.PCA(2), plain()),
        "calibrated": lambda: calibration.CalibratedClassifierCV(plain()),
        "one_against_rest": lambda: multiclass.OneVsRestClassifier(plain()),
        "grid_search": lambda: model_selection.GridSearchCV(plain(), {"C": [0.1, 1]}, scoring="roc_auc"),
        "random_search": lambda: model_selection.RandomizedSearchCV(
            plain(), {"C": stats.loguniform(0.1, 10)}, n_iter=2, random_state=0
        ),
        "best_features": lambda: make_pipeline(
            feature_selection.SelectKBest(feature_selection.f_classif, k=2), plain()
        ),
        "logarithms": lambda: make_pipeline(preprocessing.FunctionTransformer(np.log1p), plain()),
        "splines": lambda: make_pipeline(preprocessing.SplineTransformer(), plain()),
        "quantiles": lambda: make_pipeline(preprocessing.QuantileTransformer(n_quantiles=10), plain()),
        "fourier": lambda: make_pipeline(kernel_approximation.RBFSampler(random_state=0), plain()),
        "dummy": dummy.DummyClassifier,
        "isotonic_calibration": lambda: calibration.CalibratedClassifierCV(plain(), method="isotonic"),
        "isotonic": lambda: make_pipeline(decomposition.PCA(1), isotonic.IsotonicRegression()),
    }


def _words() -> Any:
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), ["a", "b"]),
        (OneHotEncoder(handle_unknown="ignore"), ["word"]),
        (OrdinalEncoder(), ["word"]),
        remainder="drop",
    )
    return make_pipeline(columns, RandomForestClassifier(5))


def _texts() -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    return make_pipeline(TfidfVectorizer(), LogisticRegression())


def _documents() -> Any:
    return ["good red thing", "bad blue thing"] * 30, [1, 0] * 30


for _name, _make in _estimators().items():
    for _form in ("cloudpickle", "skops") if _name not in ("isotonic", "calibrated") else ("pickle",):
        if (_name, _form) not in {("one_against_rest", "skops"), ("random_search", "skops")}:
            _plain(_name, _make, _form)
_plain("mixed_columns", _words, "pickle", mixed)
_plain("mixed_columns", _words, "skops", mixed)
_plain("text", _texts, "pickle", _documents)


@model("imblearn")
def imblearn_pipeline(path: Path) -> None:
    from imblearn.over_sampling import SMOTE
    from imblearn.pipeline import make_pipeline
    from sklearn.linear_model import LogisticRegression

    sklearn(path, make_pipeline(SMOTE(), LogisticRegression()))


@model("imblearn")
def imblearn_forest(path: Path) -> None:
    from imblearn.ensemble import BalancedRandomForestClassifier

    sklearn(path, BalancedRandomForestClassifier(5))


@model("category_encoders")
def category_encoders_target(path: Path) -> None:
    from category_encoders import TargetEncoder
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    sklearn(path, make_pipeline(TargetEncoder(), LogisticRegression()), frame=mixed())


@model("category_encoders")
def category_encoders_one_hot(path: Path) -> None:
    from category_encoders import OneHotEncoder
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    sklearn(path, make_pipeline(OneHotEncoder(), LogisticRegression()), frame=mixed())


@model("interpret")
def interpret_boosting(path: Path) -> None:
    from interpret.glassbox import ExplainableBoostingClassifier

    sklearn(path, ExplainableBoostingClassifier(max_rounds=10, interactions=0))


@model("xgboost")
def xgboost_classifier(path: Path) -> None:
    import mlflow.xgboost
    from xgboost import XGBClassifier

    mlflow.xgboost.save_model(XGBClassifier(n_estimators=5).fit(*data()), path, pip_requirements=["xgboost"])


@model("xgboost")
def xgboost_booster_json(path: Path) -> None:
    import mlflow.xgboost
    import xgboost

    features, label = data()
    booster = xgboost.train({}, xgboost.DMatrix(features, label), 3)
    mlflow.xgboost.save_model(booster, path, model_format="json", pip_requirements=["xgboost"])


@model("xgboost")
def xgboost_in_a_pipeline(path: Path) -> None:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from xgboost import XGBClassifier

    sklearn(path, make_pipeline(StandardScaler(), XGBClassifier(n_estimators=5)))


@model("lightgbm")
def lightgbm_classifier(path: Path) -> None:
    import mlflow.lightgbm
    from lightgbm import LGBMClassifier

    fitted = LGBMClassifier(n_estimators=5, verbose=-1).fit(*data())
    mlflow.lightgbm.save_model(fitted, path, pip_requirements=["lightgbm"], serialization_format="cloudpickle")


@model("lightgbm")
def lightgbm_booster(path: Path) -> None:
    import lightgbm
    import mlflow.lightgbm

    booster = lightgbm.train({"verbose": -1}, lightgbm.Dataset(*data()), 3)
    mlflow.lightgbm.save_model(booster, path, pip_requirements=["lightgbm"])


@model("lightgbm")
def lightgbm_in_a_pipeline(path: Path) -> None:
    from lightgbm import LGBMRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler

    sklearn(path, make_pipeline(MinMaxScaler(), LGBMRegressor(n_estimators=5, verbose=-1)))


@model("catboost")
def catboost_classifier(path: Path) -> None:
    import mlflow.catboost
    from catboost import CatBoostClassifier

    fitted = CatBoostClassifier(iterations=5, verbose=0, allow_writing_files=False).fit(*data())
    mlflow.catboost.save_model(fitted, path, pip_requirements=["catboost"])


@model("catboost")
def catboost_in_a_pipeline(path: Path) -> None:
    from catboost import CatBoostRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    sklearn(
        path, make_pipeline(StandardScaler(), CatBoostRegressor(iterations=5, verbose=0, allow_writing_files=False))
    )


@model("statsmodels")
def statsmodels_ols(path: Path) -> None:
    import mlflow.statsmodels
    import statsmodels.api as sm

    features, label = data()
    mlflow.statsmodels.save_model(sm.OLS(label, features).fit(), path, pip_requirements=["statsmodels"])


@model("statsmodels")
def statsmodels_formula(path: Path) -> None:
    import mlflow.statsmodels
    import numpy as np  # noqa: F401 - the formula names it
    import statsmodels.formula.api as smf

    features, label = data()
    fitted = smf.logit("y ~ a + np.log(b + 1)", features.assign(y=label)).fit(disp=0)
    mlflow.statsmodels.save_model(fitted, path, pip_requirements=["statsmodels"])


@model("statsmodels")
def statsmodels_glm(path: Path) -> None:
    import mlflow.statsmodels
    import statsmodels.api as sm

    features, label = data()
    fitted = sm.GLM(label, features, family=sm.families.Binomial()).fit()
    mlflow.statsmodels.save_model(fitted, path, pip_requirements=["statsmodels"])


@model("statsmodels")
def statsmodels_smoothing(path: Path) -> None:
    import mlflow.statsmodels
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    fitted = ExponentialSmoothing(data()[0]["a"].to_numpy(), trend="add").fit()
    mlflow.statsmodels.save_model(fitted, path, pip_requirements=["statsmodels"])


@model("pmdarima")
def pmdarima_arima(path: Path) -> None:
    import mlflow.pmdarima
    import pmdarima

    fitted = pmdarima.ARIMA((1, 0, 0)).fit(data()[0]["a"].to_numpy())
    mlflow.pmdarima.save_model(fitted, path, pip_requirements=["pmdarima"])


@model("prophet")
def prophet_trend(path: Path) -> None:
    import mlflow.prophet
    import pandas as pd
    from prophet import Prophet

    days = pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=60), "y": data()[0]["a"]})
    mlflow.prophet.save_model(Prophet().fit(days), path, pip_requirements=["prophet"])


@model("skl2onnx")
def onnx_logistic(path: Path) -> None:
    import mlflow.onnx
    from skl2onnx import to_onnx
    from sklearn.linear_model import LogisticRegression

    features, label = data()
    numbers = features.to_numpy("float32")
    converted = to_onnx(LogisticRegression().fit(numbers, label), numbers[:1])
    mlflow.onnx.save_model(converted, path, pip_requirements=["onnx"])


@model("skl2onnx")
def onnx_forest(path: Path) -> None:
    import mlflow.onnx
    from skl2onnx import to_onnx
    from sklearn.ensemble import RandomForestClassifier

    features, label = data()
    numbers = features.to_numpy("float32")
    converted = to_onnx(RandomForestClassifier(5).fit(numbers, label), numbers[:1])
    mlflow.onnx.save_model(converted, path, pip_requirements=["onnx"])


def _layers(*layers: Any, path: Path) -> None:
    import mlflow.pytorch
    import torch

    made = torch.nn.Sequential(*layers)
    mlflow.pytorch.save_model(made, path, pip_requirements=["torch"], serialization_format="pickle")


@model("torch")
def torch_dense(path: Path) -> None:
    from torch import nn

    _layers(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.1), nn.Linear(8, 2), nn.Softmax(1), path=path)


@model("torch")
def torch_images(path: Path) -> None:
    from torch import nn

    _layers(nn.Conv2d(3, 4, 3), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(900, 2), path=path)


@model("torch")
def torch_attention(path: Path) -> None:
    from torch import nn

    _layers(nn.TransformerEncoderLayer(8, 2, 16), nn.LSTM(8, 4), path=path)


@model("torch")
def torch_exported(path: Path) -> None:
    """MLflow's own default."""
    import mlflow.pytorch
    import numpy as np
    from torch import nn

    made = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2)).eval()
    rows = np.zeros((3, 4), dtype="float32")
    mlflow.pytorch.save_model(made, path, pip_requirements=["torch"], input_example=rows, serialization_format="pt2")


@model("torch")
def torch_exported_with_dynamic_rows(path: Path) -> None:
    import torch
    from torch import nn

    from . import corpus

    made = nn.Sequential(nn.Conv1d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2)).eval()
    rows = torch.zeros(3, 2, 8)
    made(rows)
    rows_of_any_number = ({0: torch.export.Dim("batch", min=1, max=4096)},)
    (path / "data").mkdir(parents=True)
    torch.export.save(
        torch.export.export(made, (rows,), dynamic_shapes=rows_of_any_number), path / "data" / "model.pt2"
    )
    corpus.mlmodel(path, {"pytorch": {"model_data": "data", "serialization_format": "pt2"}})


@model("transformers")
def transformers_classifier(path: Path) -> None:
    from transformers import BertConfig, BertForSequenceClassification

    path.mkdir()
    config = BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, vocab_size=50)
    BertForSequenceClassification(config).save_pretrained(path / "model")
    (path / "MLmodel").write_text(
        "flavors:\n  transformers:\n    model_binary: model\n    framework: pt\n    task: text-classification\n"
    )


@model("keras")
def keras_dense(path: Path) -> None:
    import os

    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras
    import mlflow.keras

    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1)])
    network.compile("adam", "mse")
    mlflow.keras.save_model(network, str(path), pip_requirements=["keras"])


# Models that carry code by value: a class of their own, refused until somebody vouches for their digest.

BY_VALUE: list[Benign] = []


def by_value(library: str) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    def keep(save: Callable[[Path], None]) -> Callable[[Path], None]:
        BY_VALUE.append(Benign(save.__name__, library, save))
        return save

    return keep


def of_a_script(source: str, name: str, **known: Any) -> Any:
    """What a training script or notebook defines, which pickles by value."""
    scope: dict[str, Any] = {"__name__": "__main__", **known}
    exec(source, scope)
    return scope[name]


@by_value("sklearn")
def function_of_a_script(path: Path) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    double = of_a_script("double = lambda rows: rows * 2", "double")
    sklearn(path, make_pipeline(FunctionTransformer(double), LogisticRegression()))


@by_value("sklearn")
def transformer_of_a_script(path: Path) -> None:
    from sklearn.base import BaseEstimator, TransformerMixin
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    source = """
class Clip(TransformerMixin, BaseEstimator):
    def fit(self, rows, label=None):
        return self
    def transform(self, rows):
        return rows.clip(0, 1)
"""
    clip = of_a_script(source, "Clip", TransformerMixin=TransformerMixin, BaseEstimator=BaseEstimator)
    sklearn(path, make_pipeline(clip(), LogisticRegression()))


_PREDICTS = """
class Model(PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input
"""


@by_value("sklearn")
def pyfunc_class_of_a_script(path: Path) -> None:
    import mlflow.pyfunc

    made = of_a_script(_PREDICTS, "Model", PythonModel=mlflow.pyfunc.PythonModel)()
    mlflow.pyfunc.save_model(path, python_model=made, pip_requirements=["mlflow"])


@by_value("sklearn")
def pyfunc_function(path: Path) -> None:
    import mlflow.pyfunc

    predict = of_a_script("def predict(model_input: list[str]) -> list[str]:\n    return model_input\n", "predict")
    mlflow.pyfunc.save_model(path, python_model=predict, pip_requirements=["mlflow"])


@by_value("sklearn")
def model_from_code(path: Path) -> None:
    import mlflow.pyfunc

    script = path.with_name(f"{path.name}.py")
    head, foot = "import mlflow\nfrom mlflow.pyfunc import PythonModel\n", "\nmlflow.models.set_model(Model())\n"
    script.write_text(head + _PREDICTS + foot)
    mlflow.pyfunc.save_model(path, python_model=str(script), pip_requirements=["mlflow"])


@by_value("sklearn")
def code_beside_the_model(path: Path) -> None:
    import mlflow.sklearn
    from sklearn.linear_model import LogisticRegression

    package = path.with_name(f"{path.name}_package")
    package.mkdir()
    (package / "__init__.py").write_text("")
    fitted = LogisticRegression().fit(*data())
    mlflow.sklearn.save_model(
        fitted, path, code_paths=[str(package)], pip_requirements=["scikit-learn"], serialization_format="cloudpickle"
    )


@by_value("torch")
def torch_class_of_a_script(path: Path) -> None:
    import mlflow.pytorch
    import torch

    source = """
class Net(Module):
    def forward(self, rows):
        return rows
"""
    net = of_a_script(source, "Net", Module=torch.nn.Module)()
    mlflow.pytorch.save_model(net, path, pip_requirements=["torch"], serialization_format="pickle")


@by_value("torch")
def torch_script(path: Path) -> None:
    import mlflow.pytorch
    import torch

    scripted = torch.jit.script(torch.nn.Linear(2, 1))
    mlflow.pytorch.save_model(scripted, path, pip_requirements=["torch"], serialization_format="pickle")
