"""`mlgates demo DIR`: a complete small ML repository on real survey data, built by the real tools.

Importing this loads the standard library only; DVC and pyarrow are imported while building, and MLflow and
scikit-learn only by the training script, in a child process.
"""

from pytest_mlgates.demo.builder import build
from pytest_mlgates.demo.cluster import add_cluster
from pytest_mlgates.demo.errors import DemoError
from pytest_mlgates.demo.guide import CLUSTER, next_steps
from pytest_mlgates.demo.needs import check_incident
from pytest_mlgates.demo.race import compare_race, what_happened

__all__ = [
    "CLUSTER",
    "DemoError",
    "add_cluster",
    "build",
    "check_incident",
    "compare_race",
    "next_steps",
    "what_happened",
]
