"""`mlgates demo`: builds a small ML repository on real survey data and judges a model in it."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

HELP = "build a small ML repository on real data and judge a model in it"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", nargs="?", default="mlgates-demo", type=Path, help="default: mlgates-demo")
    parser.add_argument("--cluster", action="store_true", help="with a local cluster: one drill first, then promotion")
    parser.add_argument(
        "--fairness-race",
        action="store_true",
        help="with the gate fairness on the census codes of race: ends in HOLD, and shows why",
    )
    parser.add_argument(
        "--incident",
        nargs="?",
        const="errors",
        choices=("errors", "slow", "resets", "stalls", "wrong"),
        metavar="FAULT",
        help="with a local cluster, and then what is promoted goes wrong in service: errors (the default), slow, "
        "resets, stalls or wrong; needs Prometheus",
    )
    parser.add_argument("--build-only", action="store_true", help="build it and stop")


def run(given: argparse.Namespace) -> int:
    from pytest_mlgates.demo import CLUSTER, add_cluster, build, check_incident, compare_race, next_steps, what_happened

    if given.incident:
        check_incident()
    build(given.directory, say=lambda line: print(line, flush=True))
    runs = [["--mlgate", "--mlgate-apply"]]
    if given.fairness_race:
        compare_race(given.directory)
    if given.cluster or given.incident:
        add_cluster(given.directory)
        runs.insert(0, ["--mlgate", "--mlgate-phase", "drill", "--mlgate-record"])
    code = 0
    for options in [] if given.build_only else runs:
        print(f"\n$ cd {given.directory} && pytest {' '.join(options)}", flush=True)
        command = [sys.executable, "-m", "pytest", *options]
        code = subprocess.run(command, cwd=given.directory, check=False).returncode
        if code:
            break
    if given.incident and not code and not given.build_only:
        from pytest_mlgates.demo.incident import stage, what_to_try

        stage(given.directory, given.incident, say=lambda line: print(line, flush=True))
        print(f"\n{what_to_try(given.directory)}")
        return 0
    said = what_happened(given.directory) if given.fairness_race else next_steps(given.directory)
    print(f"\n{said}{CLUSTER if given.cluster or given.incident else ''}")
    return code
