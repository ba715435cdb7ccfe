"""The `mlgates` command."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pytest_mlgates.errors import MlgatesError


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when done, 2 when something must be written differently; `demo` gives pytest's own."""
    parser = argparse.ArgumentParser(prog="mlgates", description="The release gate for machine-learning models.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_init(commands)
    given = parser.parse_args(arguments)
    try:
        return int(given.run(given))
    except MlgatesError as problem:
        print(f"mlgates {given.command}: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"mlgates {given.command}: interrupted", file=sys.stderr)
        return 130


def _add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    demo = commands.add_parser("demo", help="build a small ML repository on real data and judge a model in it")
    demo.add_argument("directory", nargs="?", default="mlgates-demo", type=Path, help="default: mlgates-demo")
    demo.add_argument("--build-only", action="store_true", help="build it and stop")
    demo.set_defaults(run=_demo)


def _add_init(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    init = commands.add_parser("init", help="write the five settings that matter")
    init.add_argument("--model", help="name of the registered model")
    init.add_argument("--golden", help="the golden set, a Parquet or CSV file")
    init.add_argument("--label", help="its label column")
    init.add_argument("--task", choices=("binary", "multiclass", "regression"))
    init.add_argument("--gates", default="default", help='gates to require, separated by commas (default: "default")')
    init.add_argument("--dvc-add", action="store_true", help="pin a golden set that is a plain file with `dvc add`")
    init.set_defaults(run=_init)


def _demo(given: argparse.Namespace) -> int:
    from pytest_mlgates.demo import build, next_steps

    build(given.directory, say=lambda line: print(line, flush=True))
    if given.build_only:
        print(next_steps(given.directory))
        return 0
    command = [sys.executable, "-m", "pytest", "--mlgate", "--mlgate-apply"]
    print(f"\n$ cd {given.directory} && pytest --mlgate --mlgate-apply", flush=True)
    code = subprocess.run(command, cwd=given.directory, check=False).returncode
    print(next_steps(given.directory))
    return code


def _init(given: argparse.Namespace) -> int:
    from pytest_mlgates.init import initialise

    print(initialise(Path.cwd(), given))
    return 0
