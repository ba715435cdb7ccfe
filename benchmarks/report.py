"""How long the page of a large run takes to make, and how large it is, beside the evidence it is made from.

python benchmarks/report.py [--gates 300] [--judgements 4] [--repeats 5]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from pytest_mlgates.report import evidence_file, page, sarif, summary
from tests.report.documents import many


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gates", type=int, default=300)
    parser.add_argument("--judgements", type=int, default=4, help="a gate")
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    document = many(given.gates, given.judgements)
    page.page(many(1))  # Jinja2 is imported and the template compiled once a process
    print(f"{given.gates} gates with {given.judgements} judgements each, best and median of {given.repeats}")
    makers: dict[str, Callable[[], str]] = {
        "evidence.json": lambda: evidence_file.text(document),
        "report.html": lambda: page.page(document),
        "summary.md": lambda: summary.summary(document),
        "results.sarif": lambda: sarif.sarif(document),
    }
    sizes = {name: _row(name, make, given.repeats) for name, make in makers.items()}
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        page.write(document, Path(folder))
        print(f"made and written to disk: {time.perf_counter() - begun:.2f} s")
    print(f"the page is {sizes['report.html'] / sizes['evidence.json']:.2f} times its evidence")
    return 0 if sizes["report.html"] < 3_000_000 else 1


def _row(name: str, make: Callable[[], str], repeats: int) -> int:
    times, size = [], 0
    for _ in range(repeats):
        begun = time.perf_counter()
        size = len(make().encode())
        times.append(time.perf_counter() - begun)
    print(f"{name:14} {size / 1e6:6.2f} MB  {min(times):6.2f} s  {statistics.median(times):6.2f} s")
    return size


if __name__ == "__main__":
    sys.exit(main())
