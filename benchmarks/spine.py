"""How long the main job takes beside the import that every MLflow script pays for anyway.

    python benchmarks/spine.py [ROUNDS]

Builds the demo, then alternates `pytest --mlgate` (judging only, nothing cached) with
`python -c "import mlflow.sklearn"` and prints medians of wall time and their ratio. Goal: 2.5 at most.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pytest_mlgates.demo import build

GOAL = 2.5
IMPORT = [sys.executable, "-c", "import mlflow.sklearn"]
JUDGE = [sys.executable, "-m", "pytest", "-p", "pytest_mlgates.plugin", "--mlgate", "-q"]


def main(rounds: int) -> int:
    with tempfile.TemporaryDirectory() as place:
        demo = Path(place) / "demo"
        build(demo, say=lambda line: None)
        imports, judges = [], []
        for number in range(rounds + 1):
            shutil.rmtree(demo / ".mlgates", ignore_errors=True)
            pair = seconds(IMPORT, demo), seconds(JUDGE, demo)
            if number:  # the first round only warms the file cache
                imports.append(pair[0])
                judges.append(pair[1])
    ratio = statistics.median(judge / one for judge, one in zip(judges, imports, strict=True))
    print(f"import mlflow.sklearn          {statistics.median(imports):.2f} s (median of {rounds})")
    print(f"pytest --mlgate, nothing kept  {statistics.median(judges):.2f} s (median of {rounds})")
    print(f"ratio, pair by pair            {ratio:.2f} (goal: {GOAL} at most)")
    return int(ratio > GOAL)


def seconds(command: list[str], folder: Path) -> float:
    # Other plugins of the developer's environment are not this package's time.
    environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, timeout=120)
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 7))
