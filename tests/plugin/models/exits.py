"""A model that ends its own process and leaves last words."""

import os
import sys

import mlflow
from mlflow.pyfunc import PythonModel


class Exits(PythonModel):
    def predict(self, context, model_input, params=None):
        print("licence expired", file=sys.stderr, flush=True)
        os._exit(3)


mlflow.models.set_model(Exits())
