"""What is refused before loading, what honest models pay for it, what a model's process can get at, and what it costs.

    python benchmarks/artifacts.py [--peers-python PYTHON] [--honest-python PYTHON] [--large 10] [--rounds 5]

Builds the corpus of tests/artifact (its payloads only make an empty file, and nothing here loads them) and the honest
models of every library that is installed: in --honest-python too, an interpreter with MLflow and many libraries. With
--peers-python, one that has modelscan, picklescan and fickling, these read the same files. Models that carry code by
value are a class of their own: refused until their digest is trusted. Then a model tries to get out of its process; an
artifact of so many gigabytes is read by a process that may hold 300 MB; last, the identity stage on the demo's models
beside `import mlflow.sklearn`, interpreters included, in the same run.
Goals: every gadget refused, no honest model, no escape, each attempt reported, the stage no longer than the import.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

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
import sys
from pathlib import Path
from pytest_mlgates.adapters.scoring.confinement import missing_protections
from pytest_mlgates.artifact import scan
from pytest_mlgates.lock import differences, read_lock
from pytest_mlgates.lock.installed import closure, installed
found = [scan(Path(folder), packages=[Path(entry) for entry in sys.path if entry]) for folder in sys.argv[1:]]
assert not any(one.problems for one in found), found
missing_protections()
here = installed()
for folder in sys.argv[1:]:
    assert not differences(read_lock(here.text(), "lock"), here, closure(["scikit-learn", "pandas", "skops"]))
"""
LARGE = """
import resource, sys
from pathlib import Path
from pytest_mlgates.artifact import scan
resource.setrlimit(resource.RLIMIT_DATA, (300 << 20, 300 << 20))
found = scan(Path(sys.argv[1]), packages=[Path(entry) for entry in sys.path if entry])
assert not found.problems, found.problems
"""
#: Builds the honest models of another interpreter, and says how each was read there: name, library, kinds of problems.
HONEST = """
import json, os, sys
sys.path[:0] = sys.argv[1:3]
answer = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
import logging
logging.disable(logging.CRITICAL)
from benchmarks.artifacts import built_honest, read
from pathlib import Path
found = read(built_honest(Path(sys.argv[3])))
os.write(answer, json.dumps(found).encode())
"""


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--peers-python", default="")
    asked.add_argument("--honest-python", default="")
    asked.add_argument("--large", type=int, default=1, help="gigabytes; 0 leaves it out")
    asked.add_argument("--rounds", type=int, default=5, help="of the cost; 0 leaves it out")
    options = asked.parse_args()
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as place:
        fine = files_read(Path(place), options.honest_python, options.peers_python)
    fine &= escapes()
    if options.large:
        fine &= large(options.large)
    if options.rounds:
        fine &= cost(options.rounds) <= 1
    return int(not fine)


def files_read(place: Path, honest_python: str, peers_python: str) -> bool:
    """Gadgets, honest models, and models with code by value."""
    gadgets = built_gadgets(place / "gadgets")
    found = read(built_honest(place / "honest"))
    if honest_python:
        words = [honest_python, "-c", HONEST, str(ROOT), str(ROOT / "tests"), str(place / "more")]
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
        found = {**found, **json.loads(done.stdout)}
    honest = [one for one in found.values() if not one["code"]]
    carried = [one for one in found.values() if one["code"]]
    good = [Path(one["folder"]) for one in honest]
    refused = {"pytest-mlgates": [refusals(gadgets), sum(bool(one["problems"]) for one in honest)]}
    for peer in ("modelscan", "picklescan", "fickling") if peers_python else ():
        refused[peer] = [asked_peer(peers_python, peer, folders) for folders in (gadgets, good)]
    print(f"{'':16}{'gadgets refused':>18}{'honest refused':>18}")
    for name, (bad, wrong) in refused.items():
        print(f"{name:16}{f'{bad} of {len(gadgets)}':>18}{f'{wrong} of {len(good)}':>18}")
    libraries = sorted({one["library"] for one in honest})
    print(f"honest models of {len(libraries)} libraries: {', '.join(libraries)}")
    untrusted = sum("code" in one["problems"] for one in carried)
    trusted = sum(not one["trusted"] for one in carried)
    print(f"code by value: {untrusted} of {len(carried)} refused, {trusted} accepted when their digest is trusted")
    bad, wrong = refused["pytest-mlgates"]
    return bad == len(gadgets) and wrong == 0 and untrusted == trusted == len(carried)


def escapes() -> bool:
    """Attempts to get out of a model's process, and whether each is reported: as a warning, or as what went wrong."""
    from artifact import attempts

    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = attempts.attempted(attempts.furnished(Path(place, "room")))
        whole = attempts.as_a_whole(Path(place))
    got_out = [name for name, succeeded in found.succeeded.items() if succeeded]
    unsaid = [name for name, said in whole.items() if not re.search(attempts.WHOLE[name][1], said)]
    broken = [name for name, works in found.works.items() if not works]
    count = len(found.succeeded) + len(whole)
    print(f"escape attempts     {len(got_out) + len(unsaid)} of {count} succeeded {[*got_out, *unsaid] or ''}".rstrip())
    print(f"reported            {'; '.join(one.what for one in found.reported)[:300]} ...")
    print(f"honest work         {len(found.works) - len(broken)} of {len(found.works)} goes on {broken or ''}".rstrip())
    return not (got_out or unsaid or broken) and bool(found.reported)


def large(gigabytes: int) -> bool:
    """A sparse file as the model, read in a process that may hold 300 MB."""
    with tempfile.TemporaryDirectory() as place:
        folder, size = Path(place, "model"), gigabytes << 30
        corpus.harmless(folder)
        with (folder / "model.pkl").open("wb") as stream:
            stream.write(b"\x80\x04\x8e" + size.to_bytes(8, "little"))
            stream.seek(size, 1)
            stream.write(b".")
        started = time.monotonic()
        command = [sys.executable, "-c", LARGE, str(folder)]
        done = subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, timeout=1800)
    seconds, held = time.monotonic() - started, done.returncode == 0
    print(f"{gigabytes} GB artifact       read in {seconds:.0f} s within 300 MB: {held}")
    return held


def built_gadgets(place: Path) -> list[Path]:
    folders = []
    for number, gadget in enumerate(corpus.ALL):
        gadget.build(place / str(number), place / f"marker{number}")
        folders.append(place / str(number))
    return folders


def built_honest(place: Path) -> list[tuple[benign.Benign, Path, bool]]:
    """Each that can be built here, its folder, and whether it carries code by value."""
    built = []
    for code, models in ((False, benign.ALL), (True, benign.BY_VALUE)):
        for one in benign.installed(models):
            place.mkdir(exist_ok=True, parents=True)
            with (
                warnings.catch_warnings(),
                contextlib.redirect_stdout(io.StringIO()),
                contextlib.redirect_stderr(io.StringIO()),
            ):
                warnings.simplefilter("ignore")
                one.save(place / one.name)
            built.append((one, place / one.name, code))
    return built


def read(built: list[tuple[benign.Benign, Path, bool]]) -> dict[str, Any]:
    """How each was read, as plain data; packages are looked up where this runs."""
    found = {}
    for one, folder, code in built:
        seen = scan(folder, packages=PACKAGES)
        found[one.name] = {
            "folder": str(folder),
            "library": one.library,
            "code": code,
            "problems": sorted({problem.kind for problem in seen.problems}),
            "trusted": [str(problem) for problem in seen.untrusted([seen.digest])],
        }
    return found


def refusals(folders: list[Path]) -> int:
    return sum(bool(scan(folder, packages=PACKAGES).problems) for folder in folders)


def asked_peer(python: str, peer: str, folders: list[Path]) -> int:
    done = subprocess.run([python, "-c", PEER, peer, *map(str, folders)], capture_output=True, text=True, check=True)
    return sum(json.loads(done.stdout.strip().splitlines()[-1]))


def cost(rounds: int) -> float:
    """Both models of the demo read, protections tried, locks compared, against the import: medians, pair by pair."""
    from pytest_mlgates.demo import build

    with tempfile.TemporaryDirectory() as place:
        demo = Path(place) / "demo"
        build(demo, say=lambda line: None)
        folders = [str(found.parent) for found in demo.rglob("MLmodel")]
        pairs = []
        for number in range(rounds + 1):
            pair = spent("import mlflow.sklearn"), spent(IDENTITY, *folders)
            if number:  # the first round only warms the file cache
                pairs.append(pair)
    ratios = []
    for which, words in enumerate(("processor time", "wall time")):
        imports = statistics.median(one[which] for one, _ in pairs)
        stages = statistics.median(stage[which] for _, stage in pairs)
        ratios.append(statistics.median(stage[which] / one[which] for one, stage in pairs))
        said = f"import {imports:.2f} s, identity stage of {len(folders)} models {stages:.2f} s"
        print(f"{words:20}{said}: {ratios[-1]:.2f}")
    return max(ratios)


def spent(source: str, *args: str) -> tuple[float, float]:
    """(processor, wall) seconds of a fresh interpreter."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", source, *args], env=environment, check=True, capture_output=True, timeout=120)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


if __name__ == "__main__":
    sys.exit(main())
