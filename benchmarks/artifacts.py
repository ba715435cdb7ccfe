"""What is refused before loading, what honest models pay for it, and what it costs: beside the scanners people use.

    python benchmarks/artifacts.py [--peers-python PYTHON] [--rounds 5]

Builds the corpus of tests/artifact (its payloads only make an empty file, and nothing here loads them) and the honest
models of every library that is installed here. With --peers-python, an interpreter that has modelscan, picklescan and
fickling reads the same files. Last, the cost on the demo's model beside `import mlflow.sklearn`, in processor seconds.
Goals: every gadget refused, no honest model refused, the identity stage no longer than that import.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from artifact import benign, corpus  # noqa: E402

from pytest_mlgates.artifact import scan  # noqa: E402

PACKAGES = [Path(entry) for entry in sys.path if entry]
#: What a peer says of each folder, as one JSON list: refused when it reports anything, or nothing it could read.
PEER = """
import json, os, sys
from pathlib import Path
answer = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
os.dup2(1, 2)
def modelscan(folder):
    from modelscan.modelscan import ModelScan
    return ModelScan().scan(folder)["summary"]["total_issues"] > 0
def picklescan(folder):
    from picklescan.scanner import scan_directory_path
    return scan_directory_path(str(folder)).issues_count > 0
def fickling(folder):
    from fickling.analysis import Severity, check_safety
    from fickling.fickle import StackedPickle
    for file in Path(folder).rglob("*"):
        if file.suffix in (".pkl", ".pickle", ".joblib", ".statsmodels", ".pmd") and file.is_file():
            with file.open("rb") as stream:
                if any(check_safety(one).severity > Severity.LIKELY_SAFE for one in StackedPickle.load(stream)):
                    return True
    return False
def refused(peer, folder):
    try:
        return bool(peer(folder))
    except ImportError:
        raise
    except Exception:  # it could not read it, which is a refusal too
        return True
peer = {"modelscan": modelscan, "picklescan": picklescan, "fickling": fickling}[sys.argv[1]]
os.write(answer, json.dumps([refused(peer, folder) for folder in sys.argv[2:]]).encode())
"""
IDENTITY = """
import os, sys
from pathlib import Path
from pytest_mlgates.artifact import scan
from pytest_mlgates.adapters.scorer import missing_protections
found = [scan(Path(folder), packages=[Path(entry) for entry in sys.path if entry]) for folder in sys.argv[1:]]
assert not any(one.problems for one in found), found
missing_protections()
"""


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--peers-python", default="")
    asked.add_argument("--rounds", type=int, default=5, help="of the cost; 0 leaves it out")
    options = asked.parse_args()
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as place:
        gadgets = built_gadgets(Path(place, "gadgets"))
        honest, libraries = built_honest(Path(place, "honest"))
        refused = {"pytest-mlgates": [refusals(gadgets), refusals(honest)]}
        for peer in ("modelscan", "picklescan", "fickling") if options.peers_python else ():
            refused[peer] = [asked_peer(options.peers_python, peer, folders) for folders in (gadgets, honest)]
    print(f"{'':16}{'gadgets refused':>18}{'honest refused':>18}")
    for name, (bad, good) in refused.items():
        print(f"{name:16}{f'{bad} of {len(gadgets)}':>18}{f'{good} of {len(honest)}':>18}")
    print(f"honest models of {len(libraries)} libraries: {', '.join(sorted(libraries))}")
    ratio = cost(options.rounds) if options.rounds else 0.0
    bad, good = refused["pytest-mlgates"]
    return int(bad != len(gadgets) or good != 0 or ratio > 1)


def built_gadgets(place: Path) -> list[Path]:
    folders = []
    for number, gadget in enumerate(corpus.ALL):
        gadget.build(place / str(number), place / f"marker{number}")
        folders.append(place / str(number))
    return folders


def built_honest(place: Path) -> tuple[list[Path], set[str]]:
    folders, libraries = [], set()
    for one in benign.installed():
        place.mkdir(exist_ok=True)
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            one.save(place / one.name)
        folders.append(place / one.name)
        libraries.add(one.library)
    return folders, libraries


def refusals(folders: list[Path]) -> int:
    return sum(bool(scan(folder, packages=PACKAGES).problems) for folder in folders)


def asked_peer(python: str, peer: str, folders: list[Path]) -> int:
    done = subprocess.run([python, "-c", PEER, peer, *map(str, folders)], capture_output=True, text=True, check=True)
    return sum(json.loads(done.stdout.strip().splitlines()[-1]))


def cost(rounds: int) -> float:
    """Both models of the demo read and the protections tried, against the import; processor time, medians."""
    from pytest_mlgates.demo import build

    with tempfile.TemporaryDirectory() as place:
        demo = Path(place) / "demo"
        build(demo, say=lambda line: None)
        folders = [str(found.parent) for found in demo.rglob("MLmodel")]
        pairs = []
        for number in range(rounds + 1):
            pair = seconds("import mlflow.sklearn"), seconds(IDENTITY, *folders)
            if number:  # the first round only warms the file cache
                pairs.append(pair)
    imports, stages = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(stage / one for one, stage in pairs)
    print(f"import mlflow.sklearn       {imports:.2f} s of processor time (median of {rounds})")
    print(f"artifact_safety, {len(folders)} models  {stages:.2f} s, interpreter included")
    print(f"ratio, pair by pair         {ratio:.2f} (goal: 1 at most)")
    return ratio


def seconds(source: str, *args: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", source, *args], env=environment, check=True, capture_output=True, timeout=120)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    sys.exit(main())
