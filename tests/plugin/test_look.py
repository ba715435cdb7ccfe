"""One look as a child process: what it came to, and that whatever went wrong with it is never "all is well"."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from mlrepo import ALONE, BETTER, CHAMPION, Repo
from pytest_mlgates.watch.look import TOOK_TOO_LONG, Look, look

pytestmark = pytest.mark.slow

LIVE = ["golden_integrity", "well"]
GOOD = """
@pytest.mark.mlgate("well", phase="live", tier="act")
def test_well(gate):
    gate.judge(*good())
"""
BAD = """
@pytest.mark.mlgate("well", phase="live", tier="act")
def test_well(gate):
    gate.judge(Evidence("answer", 12, n=7), at_least(40))
"""


@pytest.fixture
def live(repo: Repo) -> Repo:
    """A live phase with one gate of the user's own, which is well."""
    repo.gates(GOOD)
    repo.settings(gates_live=LIVE)
    return repo


def looked(repo: Repo, *, apply: bool = False, limit_s: float = 60) -> Look:
    return look(repo.path, apply=apply, limit_s=limit_s, options=ALONE)


def kept(repo: Repo) -> list[Path]:
    return sorted((repo.path / ".mlgates" / "looks").iterdir())


def test_a_look_that_is_well_says_so_and_leaves_nothing(live: Repo) -> None:
    found = looked(live)
    assert (found.exit, found.action, found.well, found.acted) == (0, "KEEP", True, False), found.output
    assert found.sentence == f"all 2 required gates passed against v{CHAMPION}"
    assert found.evidence is not None and found.evidence["phase"] == "live"
    assert 0 < found.seconds < 60
    assert kept(live) == []


def test_a_rollback_is_done_and_its_evidence_kept(live: Repo) -> None:
    assert live.apply().ret == 0 and live.champion() == BETTER
    live.gates(BAD)
    live.settings(gates_live=LIVE)
    found = looked(live, apply=True)
    assert (found.exit, found.action, found.well, found.acted) == (1, "ROLLBACK", False, True), found.output
    assert found.sentence.startswith(f"'champion' is v{CHAMPION} again, instead of v{BETTER} (entry 3)")
    assert "answer 12: proven not >= 40" in found.sentence
    assert live.champion() == CHAMPION
    assert (kept(live)[0] / "evidence.json").is_file()


def test_without_apply_nothing_is_rolled_back(live: Repo) -> None:
    live.gates(BAD)
    live.settings(gates_live=LIVE)
    found = looked(live)
    assert (found.exit, found.action, found.acted, live.champion()) == (1, "ROLLBACK", False, CHAMPION)


def test_a_rollback_without_a_version_to_go_back_to_is_an_action_that_failed(live: Repo) -> None:
    live.gates(BAD)
    live.settings(gates_live=LIVE)
    found = looked(live, apply=True)
    assert (found.exit, found.action, found.well, found.acted) == (11, "ROLLBACK", False, False)
    assert found.sentence.startswith(
        "ACTION FAILED: nothing to roll back to: v1 is champion and no other version is known to have served before it"
    )
    assert live.champion() == CHAMPION


def test_a_look_that_hangs_is_ended_with_all_it_started(live: Repo) -> None:
    live.gates(
        """
        @pytest.mark.mlgate("well", phase="live", tier="act")
        def test_well(gate):
            import pathlib, subprocess, sys
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            pathlib.Path("child").write_text(f"{child.pid}\\n")
            child.wait()
        """
    )
    live.settings(gates_live=LIVE)
    found = looked(live, limit_s=12)
    assert (found.exit, found.action, found.well) == (TOOK_TOO_LONG, "", False)
    assert found.sentence == "the look took longer than 12 s and was ended"
    child = int((live.path / "child").read_text())
    for _ in range(500):
        if not alive(child):
            return
        time.sleep(0.01)
    pytest.fail("what the look had started still runs")


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.parametrize(
    ("source", "exit_code", "said"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", -9, "the look died of signal 9"),
        ("os._exit(0)", 0, "the look left no evidence"),
        ("pytest.exit('enough', returncode=0)", 2, "the look was interrupted before its end"),
        ("os.kill(os.getpid(), signal.SIGINT)", 2, "the look was interrupted before its end"),
    ],
)
def test_a_look_that_dies_is_never_well(live: Repo, source: str, exit_code: int, said: str) -> None:
    live.gates(GOOD + f"    {source}\n")
    live.settings(gates_live=LIVE)
    found = looked(live)
    assert not found.well and not found.acted
    assert found.action in ("", "KEEP") and said in found.sentence, found
    assert found.exit in (exit_code, 2)


def test_wrong_settings_are_said_in_their_own_words(live: Repo) -> None:
    live.settings(gates_live=[])
    found = looked(live)
    assert (found.exit, found.action, found.well) == (4, "", False)
    assert "gates_live" in found.sentence and "is empty: nothing asked is nothing proven" in found.sentence


def test_a_folder_that_cannot_be_written_to_takes_no_look(tmp_path: Path) -> None:
    (tmp_path / ".mlgates").write_text("a file")
    found = look(tmp_path, apply=True, limit_s=5)
    assert (found.action, found.evidence, found.well) == ("", None, False)
    assert found.sentence.startswith("no look was taken: ")


def test_the_promotion_phase_can_be_looked_at_as_well(live: Repo) -> None:
    found = look(live.path, apply=False, limit_s=60, phase="promotion", options=ALONE)
    assert (found.exit, found.action) == (0, "PROMOTE"), found.output
    assert kept(live) == []
