"""A model whose process is killed while it answers, as the kernel does when memory runs out."""

import os
import signal

import mlflow
from mlflow.pyfunc import PythonModel


class Dies(PythonModel):
    def predict(self, context, model_input, params=None):
        print("allocating 64 GiB", flush=True)
        os.kill(os.getpid(), signal.SIGKILL)


mlflow.models.set_model(Dies())
