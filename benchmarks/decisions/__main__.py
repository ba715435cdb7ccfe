"""Are the verdicts right? A simulation with known truth, through the product's own measurements and rules.

    python benchmarks/decisions [--repeats 200] [--seed 1] [--only suite,auc,...]

Prints the goals of the statistics policy with our rules and the usual ones side by side; 500 repeats a cell is the
full form. Exit code 1 when a goal is not met.
"""

from __future__ import annotations

import argparse
import sys
import time
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from decisions.goals import table

ROOMS = ("suite", "auc", "parts", "groups", "skew", "latency", "creep")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=200, help="runs a cell (default: 200; the full form: 500)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default=",".join(ROOMS), help=f"some of {','.join(ROOMS)}")
    given = parser.parse_args()
    goals = []
    start = time.process_time()
    for room in given.only.split(","):
        before = time.process_time()
        goals += import_module(f"decisions.{room}").run(given.repeats, given.seed)
        print(f"{room}: {time.process_time() - before:.0f} s", file=sys.stderr, flush=True)
    print("\n".join(table(goals)))
    print(f"{given.repeats} runs a cell, seed {given.seed}, {time.process_time() - start:.0f} s of CPU time")
    missed = [goal.name for goal in goals if not goal.met]
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
