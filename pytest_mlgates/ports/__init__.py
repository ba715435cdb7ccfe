"""The doors to the outside: what the rest of the package asks of a registry, a golden store, a scorer.

Adapters implement these; a contract suite in tests/contract holds every implementation to them. Trouble
outside is raised as CouldNotEvaluate with a sentence of the adapter's own.
"""

from __future__ import annotations

from pytest_mlgates.ports.cluster import Asked, Cluster, Pod, Release, Revision, SteadyLoad
from pytest_mlgates.ports.golden import GoldenStore, Pointer
from pytest_mlgates.ports.log import Log, Row
from pytest_mlgates.ports.notifier import Message, Notifier
from pytest_mlgates.ports.origin import Head, Repository, Runs, TrackedRun
from pytest_mlgates.ports.registry import Registry, Version
from pytest_mlgates.ports.scoring import Answer, Attempt, Method, Rows, Said, ScoredModel, Scorer, Told
from pytest_mlgates.ports.serving import Call, Endpoint, LoadPlan, LoadRun, LoadRunner, LoadTarget, Meter, Samples, Wire

__all__ = [
    "Answer",
    "Asked",
    "Attempt",
    "Call",
    "Cluster",
    "Endpoint",
    "GoldenStore",
    "Head",
    "LoadPlan",
    "LoadRun",
    "LoadRunner",
    "LoadTarget",
    "Log",
    "Message",
    "Meter",
    "Method",
    "Notifier",
    "Pod",
    "Pointer",
    "Registry",
    "Release",
    "Repository",
    "Revision",
    "Row",
    "Rows",
    "Runs",
    "Said",
    "Samples",
    "ScoredModel",
    "Scorer",
    "SteadyLoad",
    "Told",
    "TrackedRun",
    "Version",
    "Wire",
]
