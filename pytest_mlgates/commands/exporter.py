"""`mlgates exporter`: champion, gates, golden set, tracked data, drills and incidents as figures for Prometheus."""

from __future__ import annotations

import argparse
import os
import signal
import threading
from pathlib import Path

from pytest_mlgates.adapters.watching.exposition import Exposition, wait
from pytest_mlgates.exporter import METRICS
from pytest_mlgates.exporter.collecting import Collecting
from pytest_mlgates.settings import load

HELP = "serve figures for Prometheus, or push them to a Pushgateway"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", help="which model of the settings")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=9108, help="0: any free one (default 9108)")
    parser.add_argument("--push", metavar="URL", help="push once to this Pushgateway instead, for scheduled jobs")
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds for a push (default 30)")


def run(given: argparse.Namespace) -> int:
    settings = load(Path.cwd(), {"model": given.model}, os.environ)
    collecting = Collecting(settings, os.environ)
    exposition = Exposition(collecting.samples, METRICS)
    if given.push:
        exposition.push(given.push, settings.model, given.timeout)
        print(
            f"pushed to {given.push}"
            + (f"; the registry did not answer: {collecting.trouble}" if collecting.trouble else "")
        )
        return 10 if collecting.trouble else 0
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    url, stop = exposition.serve(given.host, given.port)
    print(f"{settings.model}: {url}", flush=True)
    try:
        wait(stopped)
    finally:
        stop()
    return 0
