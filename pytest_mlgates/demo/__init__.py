"""`mlgates demo DIR`: a complete small ML repository on real survey data, built by the real tools.

Importing this loads the standard library only; DVC and pyarrow are imported while building, and MLflow and
scikit-learn only by the training script, in a child process.
"""

from pytest_mlgates.demo.builder import build
from pytest_mlgates.demo.errors import DemoError
from pytest_mlgates.demo.guide import next_steps

__all__ = ["DemoError", "build", "next_steps"]
