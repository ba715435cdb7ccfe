"""A model that has no number for three of its rows."""

import mlflow
import numpy as np
from mlflow.pyfunc import PythonModel


class Nan(PythonModel):
    def predict(self, context, model_input, params=None):
        scores = np.linspace(0, 1, len(model_input))
        scores[:3] = np.nan
        return scores


mlflow.models.set_model(Nan())
