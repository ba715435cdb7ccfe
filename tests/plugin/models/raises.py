"""A model that fails on every question."""

import mlflow
from mlflow.pyfunc import PythonModel


class Raises(PythonModel):
    def predict(self, context, model_input, params=None):
        raise RuntimeError("the feature store is down")


mlflow.models.set_model(Raises())
