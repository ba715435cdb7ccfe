"""A model that never answers; it says through the named pipe TEST_PIPE, where there is one, that it was asked."""

import os
import signal
from pathlib import Path

import mlflow
from mlflow.pyfunc import PythonModel


class Hangs(PythonModel):
    def predict(self, context, model_input, params=None):
        if "TEST_PIPE" in os.environ:
            Path(os.environ["TEST_PIPE"]).write_text(f"{os.getpid()}\n")
        signal.pause()


mlflow.models.set_model(Hangs())
