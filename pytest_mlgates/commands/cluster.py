"""`mlgates cluster`: what serves, where, and how to end what the local cluster runs."""

from __future__ import annotations

import argparse
import os
import time

from pytest_mlgates.adapters.local.cluster import keeper_of
from pytest_mlgates.adapters.serving.lease import Lease
from pytest_mlgates.commands.ledger_options import add_model, opened
from pytest_mlgates.doors.outside import open_cluster, registry_uri
from pytest_mlgates.errors import CouldNotEvaluate, UsageError
from pytest_mlgates.settings import Settings

HELP = "what the workload serves and where; `stop` ends the local one"
_PATIENCE = 15.0


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="?", choices=["show", "stop"], default="show", help="default: show")
    add_model(parser)


def run(given: argparse.Namespace) -> int:
    settings, _ = opened(given)
    return stop(settings) if given.what == "stop" else show(settings)


def show(settings: Settings) -> int:
    cluster = open_cluster(settings, registry_uri(settings, os.environ), os.environ, drill=False)
    release = cluster.release()
    print(f"{cluster.name} serves {release or 'nothing'}")
    if release is not None:
        print(f"  asked at {cluster.url()}")
        for pod in cluster.pods():
            state = "ready" if pod.ready else "not ready"
            print(f"  {pod.name} at {pod.address}: run {pod.run_id}, {state}, {pod.restarts} restarts")
    cluster.close()
    return 0


def stop(settings: Settings) -> int:
    if settings.cluster is None or settings.cluster.kind != "local":
        raise UsageError("only a local cluster is ended here; one in Kubernetes is its own administrators' to end")
    folder = settings.base / ".mlgates" / "cluster"
    keeper = keeper_of(folder)
    if keeper is None:
        print("no local cluster is running")
        return 0
    lease = Lease(keeper["pid"], keeper["started"])
    lease.terminate()
    deadline = time.monotonic() + _PATIENCE
    while lease.alive:
        if time.monotonic() > deadline:
            raise CouldNotEvaluate(f"the local cluster (process {lease.pid}) does not end; end it by hand")
        time.sleep(0.05)
    print("the local cluster has ended, and everything it ran")
    return 0
