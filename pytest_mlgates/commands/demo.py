"""`mlgates demo`: builds a small ML repository on real survey data and judges a model in it."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

HELP = "build a small ML repository on real data and judge a model in it"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", nargs="?", default="mlgates-demo", type=Path, help="default: mlgates-demo")
    parser.add_argument("--build-only", action="store_true", help="build it and stop")


def run(given: argparse.Namespace) -> int:
    from pytest_mlgates.demo import build, next_steps

    build(given.directory, say=lambda line: print(line, flush=True))
    code = 0
    if not given.build_only:
        print(f"\n$ cd {given.directory} && pytest --mlgate --mlgate-apply", flush=True)
        command = [sys.executable, "-m", "pytest", "--mlgate", "--mlgate-apply"]
        code = subprocess.run(command, cwd=given.directory, check=False).returncode
    print(f"\n{next_steps(given.directory)}")
    return code
