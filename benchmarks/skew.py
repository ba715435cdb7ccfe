"""Skew of two windows of Parquet, side by side with its peers in one run: `python -m benchmarks.skew`.

PSI, KS, chi-square and Jensen-Shannon of 20 mixed columns. Every figure comes from a process of its own, started for it
and timed inside: wall, processor time and peak memory, imports not counted. `--peers-python` names interpreters of
which one has evidently and one nannyml; a peer that none has is skipped with the reason. `--engines` adds DuckDB,
`--large` ten million rows; `--huge` is 3,000,000 against 300,000 rows of a thousand columns instead (13 GB on disk,
deleted afterwards).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROWS, LARGE = 1_000_000, 10_000_000
HUGE_ROWS, HUGE_COLUMNS = (3_000_000, 300_000), 1_000

#: What each timed process begins with; `finish` prints the figures.
HEAD = """
import json, sys, time
from pathlib import Path
before, after = sys.argv[1:3]
def finish(work, repeats=1):
    runs = []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        runs.append((time.perf_counter() - wall, time.process_time() - cpu))
    # Not getrusage: what the process that started this one once held would count.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    peak = int(status["VmHWM"].split()[0]) / 1024
    print(json.dumps([*min(runs), peak]))
"""
OURS = """
import pandas, pyarrow.compute, pyarrow.parquet
import pytest_mlgates.stats.ks
from pytest_mlgates.baseline.reference import Reference
from pytest_mlgates.engine.source import open_table
from pytest_mlgates.measure.skew.sample import skew
from pytest_mlgates.policy import Skew
def opened(file): return open_table(file, Path(), what="a window", engine=sys.argv[3])
def work():
    found = skew(Reference(table=opened(before)), opened(after), Skew())
    features = found[-1].details["features"]
    assert len(features) == int(sys.argv[4]), len(features)
    assert all("jensen_shannon" in one and "chi_square_p" in one for one in features.values())
finish(work, int(sys.argv[5]))
"""
DECODE = """
import pyarrow.parquet as pq
def work():
    for file in (before, after):
        table = pq.ParquetFile(file)
        words = [f.name for f in table.schema_arrow if str(f.type) == "string"]
        table = pq.ParquetFile(file, read_dictionary=words)
        # A batch at a time, by all processors: nothing is kept.
        for batch in table.iter_batches(1 << 17, use_threads=True):
            del batch
finish(work, int(sys.argv[5]))
"""
SCIPY = """
import numpy as np, pandas as pd
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, ks_2samp
def psi(p, q):
    p, q = np.maximum(p / p.sum(), 1e-4), np.maximum(q / q.sum(), 1e-4)
    return float(((q - p) * np.log(q / p)).sum())
def work():
    one, other = pd.read_parquet(before), pd.read_parquet(after)
    for name in one.columns:
        a, b = one[name], other[name]
        if a.dtype.kind in "fiu":
            edges = np.unique(np.quantile(a, np.arange(1, 10) / 10))
            counts = [np.bincount(np.searchsorted(edges, x, side="right"), minlength=len(edges) + 1) for x in (a, b)]
            ks_2samp(a, b, method="asymp")
        else:
            words = a.value_counts()
            counts = [words.to_numpy(), b.value_counts().reindex(words.index, fill_value=0).to_numpy()]
        psi(*counts)
        chi2_contingency(np.stack(counts))
        jensenshannon(*counts)
finish(work, int(sys.argv[5]))
"""
EVIDENTLY = """
import pandas as pd
from evidently import Report
from evidently.metrics import ValueDrift
one, other = pd.read_parquet(before), pd.read_parquet(after)
def methods(column):
    return ["psi", "ks", "jensenshannon"] if column.dtype.kind in "fiu" else ["psi", "chisquare", "jensenshannon"]
def work():
    metrics = [ValueDrift(column=name, method=how) for name in one.columns for how in methods(one[name])]
    Report(metrics).run(other, one).dict()
finish(work)
"""
NANNYML = """
import pandas as pd
import nannyml
one, other = pd.read_parquet(before), pd.read_parquet(after)
numbers = ["kolmogorov_smirnov", "jensen_shannon"]
def work():
    found = nannyml.UnivariateDriftCalculator(
        column_names=list(one.columns), continuous_methods=numbers, categorical_methods=["chi2", "jensen_shannon"],
        chunk_number=1,
    ).fit(one).calculate(other)
    found.to_df()
finish(work)
"""


def mixed(file: Path, rows: int, seed: int) -> None:
    """Ten amounts, three heavy-tailed ones, three whole numbers, four of words; written a million rows at a time."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(seed)

    def batch(size: int) -> Any:
        columns: dict[str, Any] = {f"amount{k}": rng.normal(size=size) for k in range(10)}
        columns |= {f"heavy{k}": rng.lognormal(size=size) for k in range(3)}
        columns |= {f"whole{k}": rng.integers(0, most, size) for k, most in enumerate((50, 100, 100_000))}
        for k, most in enumerate((3, 10, 50, 200)):
            words = pa.array([f"word {word}" for word in range(most)])
            columns[f"word{k}"] = words.take(pa.array(rng.integers(0, most, size)))
        return pa.table(columns)

    with pq.ParquetWriter(file, batch(1).schema) as out:
        for start in range(0, rows, ROWS):
            out.write_table(batch(min(ROWS, rows - start)))


def wide(file: Path, rows: int, seed: int, columns: int) -> None:
    """Nine tenths of small floats, one tenth of codes, in row groups of a hundred thousand."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(seed)

    def batch(size: int) -> Any:
        made: dict[str, Any] = {}
        for k in range(columns):
            made[f"c{k}"] = (
                rng.integers(0, 40, size, dtype=np.int8) if k % 10 == 0 else rng.standard_normal(size, dtype=np.float32)
            )
        return pa.table(made)

    with pq.ParquetWriter(file, batch(1).schema, compression="NONE", use_dictionary=False) as out:
        for start in range(0, rows, 100_000):
            out.write_table(batch(min(100_000, rows - start)))


def figures(code: str, python: str, *arguments: Any, limit: float = 1800) -> tuple[float, float, float] | str:
    """(wall s, processor s, peak MiB) of `code` in a process of its own, or why there are none."""
    try:
        done = subprocess.run(
            [python, "-W", "ignore", "-c", HEAD + code, *map(str, arguments)],
            capture_output=True, text=True, check=False, timeout=limit,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as problem:
        return str(problem).splitlines()[0][:100]
    if done.returncode:
        return (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1][:160]
    wall, cpu, peak = json.loads(done.stdout.strip().splitlines()[-1])
    return wall, cpu, peak


def show(name: str, found: tuple[float, float, float] | str, ours: tuple[float, float, float] | None = None) -> None:
    if isinstance(found, str):
        print(f"  {name:<22} skipped: {found}")
        return
    wall, cpu, peak = found
    ratio = f"  {wall / ours[0]:7.1f}x wall {cpu / ours[1]:7.1f}x cpu" if ours else ""
    print(f"  {name:<22} {wall:8.2f} s wall {cpu:8.2f} s cpu {peak:8.0f} MiB{ratio}", flush=True)


def compared(
    title: str, folder: Path, write: Callable[[Path, int], None], columns: int, others: dict[str, tuple[str, str]],
    repeats: int,
) -> None:  # fmt: skip
    """Ours, the time to decode, and the others, on two files that are written for it."""
    files = [folder / "before.parquet", folder / "after.parquet"]
    for seed, file in enumerate(files):
        write(file, seed)
    print(f"{title} ({sum(file.stat().st_size for file in files) / 2**20:,.0f} MiB of Parquet)", flush=True)
    ours = figures(OURS, sys.executable, *files, "arrow", columns, repeats)
    show("ours (Arrow)", ours)
    base = None if isinstance(ours, str) else ours
    show("decoding alone", figures(DECODE, sys.executable, *files, "arrow", columns, repeats), base)
    for name, (code, python) in others.items():
        engine = name.removeprefix("ours (").removesuffix(")").lower()
        show(name, figures(code, python, *files, engine, columns, repeats), base)
    for file in files:
        file.unlink()


def _having(module: str, interpreters: list[str]) -> str:
    """The first interpreter that can import `module`, else the first of all, which will say why not."""
    for python in interpreters:
        done = subprocess.run([python, "-W", "ignore", "-c", f"import {module}"], capture_output=True, check=False)
        if done.returncode == 0:
            return python
    return interpreters[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers-python", nargs="+", default=[sys.executable], metavar="PATH")
    parser.add_argument("--folder", type=Path, help="where the files go (default: a temporary folder)")
    parser.add_argument("--repeats", type=int, default=3, help="of what takes seconds; the fastest is shown")
    parser.add_argument("--engines", action="store_true")
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--huge", action="store_true")
    given = parser.parse_args()
    nannyml, evidently = (_having(module, given.peers_python) for module in ("nannyml", "evidently"))
    others = {
        "scipy + pandas": (SCIPY, sys.executable),
        "nannyml": (NANNYML, nannyml),
        "evidently": (EVIDENTLY, evidently),
    }
    if given.engines:
        others = {"ours (DuckDB)": (OURS, sys.executable), **others}
    with tempfile.TemporaryDirectory(dir=given.folder) as place:
        folder = Path(place)
        if not given.huge:
            write: Callable[[Path, int], None] = lambda file, seed: mixed(file, ROWS, seed)  # noqa: E731
            compared(f"{ROWS:,} x 20, two windows", folder, write, 20, others, given.repeats)
        if given.large:
            alone = {"scipy + pandas": (SCIPY, sys.executable)}
            write = lambda file, seed: mixed(file, LARGE, seed)  # noqa: E731
            compared(f"{LARGE:,} x 20, two windows", folder, write, 20, alone, 1)
        if given.huge:
            write = lambda file, seed: wide(file, HUGE_ROWS[seed], seed, HUGE_COLUMNS)  # noqa: E731
            title = f"{HUGE_ROWS[0]:,} x {HUGE_ROWS[1]:,} rows, {HUGE_COLUMNS:,} columns"
            compared(title, folder, write, HUGE_COLUMNS, {}, 1)


if __name__ == "__main__":
    main()
