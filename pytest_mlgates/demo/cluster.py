"""The demo's cluster: pods are processes on this machine, each MLflow's scoring server."""

from __future__ import annotations

from pathlib import Path

from pytest_mlgates.demo.git import Git
from pytest_mlgates.demo.place import resolved

SETTINGS = """
[tool.mlgates.cluster]          # the workload that promotion moves together with the alias
kind = "local"                  # processes on this machine; "kubernetes" for a Deployment

[tool.mlgates.rollback_drill]
repeats = 1                     # how often the way there and back is tried
"""


def add_cluster(directory: Path) -> None:
    """Write the settings of a local cluster into a finished demo, and commit them."""
    root = resolved(directory)
    file = root / "pyproject.toml"
    file.write_text(file.read_text() + SETTINGS)
    Git(root).commit("A local cluster, and drills on it", "pyproject.toml")
