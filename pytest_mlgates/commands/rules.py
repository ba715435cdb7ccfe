"""`mlgates rules`: what Prometheus, Alertmanager and Grafana are given for the configured model."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from pytest_mlgates.cache import write_atomically
from pytest_mlgates.errors import UsageError
from pytest_mlgates.rules_files import Watched, files
from pytest_mlgates.rules_files.files import ours
from pytest_mlgates.settings import Settings, load

HELP = "write alert rules, their tests, Alertmanager routes and a Grafana dashboard for the configured model"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", help="which model of the settings")
    parser.add_argument("--out", type=Path, default=Path("prometheus"), help="folder (default: prometheus)")


def run(given: argparse.Namespace) -> int:
    settings = load(Path.cwd(), {"model": given.model}, os.environ)
    made = files(watched(settings))
    for name in made:
        file = given.out / name
        if file.exists() and not ours(name, file.read_text(errors="replace")):
            raise UsageError(f"{file} was not made by this command: move it away, or choose another --out")
    for name, text in made.items():
        try:
            write_atomically(given.out / name, text.encode())
        except OSError as problem:
            raise UsageError(f"{given.out / name} cannot be written: {problem.strerror}") from None
    if not settings.prometheus.champion:
        print(
            "[tool.mlgates.prometheus] names no champion, so there are no rules about its requests, only about the rest"
        )
    print(f"written to {given.out}: {', '.join(made)}")
    print("check them: promtool test rules mlgates.rules.test.yml; amtool check-config alertmanager.yml")
    return 0


def watched(settings: Settings) -> Watched:
    """What the settings say of the model's service, with the limits of the live gates."""
    asked, slo, burn = settings.prometheus, settings.slo, settings.burn_rate
    who = bool(asked.champion)
    return Watched(
        model=settings.model,
        requests=asked.query("requests") if who else "",
        errors=asked.query("errors") if who else "",
        latency=asked.query("latency") if who else "",
        latency_p99=asked.query("latency_p99") if who else "",
        control_requests=asked.control_query("requests"),
        control_errors=asked.control_query("errors"),
        who=asked.champion,
        runbooks=settings.runbooks,
        errors_limit=slo.errors,
        errors_for=slo.seconds,
        errors_at_once=slo.errors_at_once,
        errors_at_once_for=slo.errors_at_once_s,
        p99_limit=slo.p99_ms / 1000,
        p99_for=slo.seconds,
        p99_at_once=slo.p99_at_once_ms / 1000,
        p99_at_once_for=slo.p99_at_once_s,
        objective=burn.objective,
        fast=burn.fast,
        slow=burn.slow,
        every=settings.live.every_s,
        golden_days=float(settings.golden_validity.refresh_days),
        drill_days=float(settings.rollback_drill.fresh_days),
        drills=settings.cluster is not None,
    )
