"""`mlgates demo --cluster`: a drill first, then the promotion that deploys what it promotes, on MLflow's own server."""

from __future__ import annotations

import datetime
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_mlgates.demo.incident import stage

pytestmark = pytest.mark.services  # MLflow's scoring server, several times
DRILL = ["-m", "pytest", "--mlgate", "--mlgate-phase", "drill"]


def ran(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, "COLUMNS": "300"},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, subprocess.CompletedProcess[str]]]:
    place = tmp_path_factory.mktemp("clustered")
    done = ran(place, "-m", "pytest_mlgates.cli", "demo", "demo", "--cluster")
    try:
        yield place / "demo", done
    finally:
        ran(place / "demo", "-m", "pytest_mlgates.cli", "cluster", "stop")


def test_it_drills_first_and_then_deploys_what_it_promotes(
    made: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    root, done = made
    assert done.returncode == 0, done.stdout + done.stderr
    drill, _, promotion = done.stdout.partition("pytest --mlgate --mlgate-apply")
    assert re.search(r"s  v2 serves, \d+\.\d\d s after 'drill' was moved", drill)
    assert re.search(r"s  v1 serves again, \d+\.\d\d s after the rollback began", drill)
    assert re.search(r"s  \d+ questions asked, 0 failed", drill)
    assert "DRILL PASSED employment: all 2 required gates passed" in drill
    assert "the drill is recorded as PASS (ledger entry 2)" in drill
    assert re.search(r"serves v2 at http://127\.0\.0\.1:\d+, proven after ", promotion)
    shown = ran(root, "-m", "pytest_mlgates.cli", "cluster").stdout
    assert "(serving in cluster) serves models:/employment/2 (run " in shown


def test_killed_half_way_and_run_again_nothing_is_left_over(
    made: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    root, _ = made
    note = root / ".mlgates" / "cluster" / "staging.note"
    with subprocess.Popen([sys.executable, *DRILL], cwd=root, stdout=subprocess.DEVNULL) as first:
        deadline = time.monotonic() + 120
        while not (note.is_file() and '"to the dummy"' in note.read_text()):
            assert time.monotonic() < deadline and first.poll() is None
            time.sleep(0.01)
        first.kill()
    again = ran(root, *DRILL)
    assert again.returncode == 0, again.stdout
    assert "put right what a drill left that ended while it was to the dummy" in again.stdout
    assert not note.exists()
    serving = ran(root, "-m", "pytest_mlgates.cli", "cluster").stdout.count("  pod-")
    assert len(list((root / ".mlgates" / "cluster" / "pods").iterdir())) == serving == 1, "only what serves is left"


@pytest.mark.long  # two and a half minutes: the demo built, a drill, an incident
@pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="Prometheus is not installed: apt-get install prometheus"
)
def test_what_was_promoted_goes_wrong_is_taken_back_and_the_record_has_the_true_times(
    made: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    """What `mlgates demo --incident` does once the demo with a cluster is there."""
    root, _ = made
    said: list[str] = []
    stage(root, "errors", say=said.append)
    text = "\n".join(said)
    fault = _time(re.search(r"==> (\S+) FAULT ON", text))
    starts = _time(re.search(r"^(\S+) ROLLBACK STARTS: employment v2 is taken back: slo: errors \[", text, re.M))
    back = _time(re.search(r"^(\S+) ROLLED BACK employment v2: 'champion' is v1 again, instead of v2", text, re.M))
    assert re.search(r"^    slo FAIL, since \S+$", text, re.M), text
    assert re.search(r"^\S+ well employment v1: ", text, re.M)

    shown = text.partition("mlgates incident show 1")[2].partition("$ cd ")[0]
    moments = {what: _time(re.search(rf"^  (\S+)  {what}", shown, re.M)) for what in MOMENTS}
    assert "incident 1: employment, SEV2, closed" in shown
    assert list(moments.values()) == sorted(moments.values()), shown
    assert abs(moments["it began"] - fault) <= 5, "as exactly as Prometheus samples"
    assert moments["opened: live: slo: "] <= starts + 1, "found before anything was done"
    assert abs(moments["restored: the former version serves, proven by its answers"] - back) <= 5
    draft = text.partition("mlgates incident postmortem 1")[2]
    assert re.search(r"^\| time to detect \| \d+(\.\d)? s \|$", draft, re.M), draft
    assert re.search(r"^\| time to restore \| (?!unknown|not yet)", draft, re.M)


MOMENTS = (
    "promote of v2",
    "it began",
    "opened: live: slo: ",
    "rollback to v1",
    "restored: the former version serves, proven by its answers",
    "closed: green again with v1 in service",
)


def _time(found: re.Match[str] | None) -> float:
    assert found is not None
    return datetime.datetime.fromisoformat(found[1]).timestamp()
