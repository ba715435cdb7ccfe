"""`mlgates watch` in a process of its own, as on-call has it running in a terminal."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_look import BAD, GOOD, LIVE

from mlrepo import BETTER, CHAMPION, Repo

pytestmark = pytest.mark.slow

ROLLBACKS = "select count(*) from model_version_tags where key = 'mlgates.kind' and value = 'rollback'"


def count(repo: Repo, query: str) -> int:
    with contextlib.closing(repo.database()) as db:
        return int(db.execute(query).fetchone()[0])


class Watch:
    """A running watcher; everything it says can be waited for."""

    def __init__(self, repo: Repo, *args: str) -> None:
        self.file = repo.path / f"said-{len(list(repo.path.glob('said-*')))}"
        with self.file.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pytest_mlgates.cli", "watch", "--every", "1", *args],
                cwd=repo.path,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self.file.read_text()

    def until(self, text: str, within: float = 90) -> str:
        end = time.monotonic() + within
        while time.monotonic() < end:
            if text in self.said:
                return self.said
            if self.process.poll() is not None and text not in self.said:
                break
            time.sleep(0.02)
        pytest.fail(f"{text!r} was not said:\n{self.said}")

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


@pytest.fixture
def watches() -> Iterator[list[Watch]]:
    started: list[Watch] = []
    yield started
    for one in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(one.process.pid, signal.SIGKILL)
        one.process.wait()


@pytest.fixture
def live(repo: Repo) -> Repo:
    repo.gates(GOOD)
    repo.settings(gates_live=LIVE)
    assert repo.apply().ret == 0
    assert repo.champion() == BETTER
    return repo


def judged_by(repo: Repo, source: str) -> None:
    """As an editor saves: whole or not at all, for a look may be reading."""
    file = repo.path / "checks" / "test_own.py"
    head = file.read_text().split("\n@pytest")[0]
    new = file.with_suffix(".new")
    new.write_text(head + "\n" + source.lstrip("\n"))
    new.replace(file)


def test_what_on_call_reads(live: Repo, watches: list[Watch]) -> None:
    watches.append(one := Watch(live, "--apply"))
    one.until("watching credit every 1 s: golden_integrity, well; rolls back what is proven bad")
    one.until("well credit v2: ")
    assert "answer 42 of 7" in one.said
    judged_by(live, BAD)
    one.until("ROLLED BACK credit v2: 'champion' is v1 again, instead of v2 (entry 3)")
    starts, done = (
        one.said.index("ROLLBACK STARTS: credit v2 is taken back: well: answer 12"),
        one.said.index("ROLLED BACK"),
    )
    assert starts < done
    assert "well FAIL: answer 12: proven not >= 40" in one.said
    one.until("PAGE credit v1: ")
    assert "not rolled back: the last rollback was 0 min ago and has not helped" in one.said
    assert live.champion() == CHAMPION
    judged_by(live, GOOD)
    one.until("over: PAGE well")
    assert one.end() == 0
    assert "looks: nobody watches now" in one.said


def test_without_apply_it_changes_nothing(live: Repo, watches: list[Watch]) -> None:
    judged_by(live, BAD)
    watches.append(one := Watch(live, "--looks", "1"))
    assert one.process.wait(90) == 1
    assert "changes nothing (add --apply)" in one.said and "ROLLBACK credit v2: well: answer 12" in one.said
    assert live.champion() == BETTER


def test_a_rollback_that_fails_is_a_p0(repo: Repo, watches: list[Watch]) -> None:
    repo.gates(BAD)
    repo.settings(gates_live=LIVE)
    watches.append(one := Watch(repo, "--apply", "--looks", "1"))
    assert one.process.wait(90) == 11
    assert (
        "P0 (SEV1, the pager, within 5 min): a rollback failed or cannot be verified: ACTION FAILED: nothing to"
        in one.said
    )
    assert repo.champion() == CHAMPION


def test_a_second_watcher_waits_and_takes_over(live: Repo, watches: list[Watch]) -> None:
    watches.append(first := Watch(live, "--apply"))
    first.until("well credit v2")
    watches.append(second := Watch(live, "--apply"))
    second.until(f"another watcher is at work here (process {first.process.pid}): waiting to take over when it ends")
    os.killpg(first.process.pid, signal.SIGKILL)
    second.until("well credit v2")
    assert second.end() == 0


@pytest.mark.long
def test_two_watchers_in_two_folders_act_once(live: Repo, watches: list[Watch], tmp_path: Path) -> None:
    """The lease is one folder's; the ledger holds everywhere."""
    import shutil

    other = tmp_path / "other"
    shutil.copytree(live.path, other, ignore=shutil.ignore_patterns("said-*"))
    elsewhere = Repo(other, live.pytester, dict(live.keys))
    for repo in (live, elsewhere):
        repo.settings(registry=f"sqlite:///{live.path}/mlflow.db", paths=["checks"])
        judged_by(repo, BAD)
    for repo in (live, elsewhere):
        watches.append(Watch(repo, "--apply", "--looks", "2"))
    for one in watches:
        one.process.wait(120)
    both = "".join(one.said for one in watches)
    assert both.count("ROLLED BACK") == 1, both
    assert live.champion() == CHAMPION
    assert count(live, ROLLBACKS) == 1


@pytest.mark.parametrize("step", ["alias", pytest.param("note", marks=pytest.mark.long)])
def test_a_watcher_killed_in_the_middle_of_a_rollback_is_finished_by_the_next(
    live: Repo, watches: list[Watch], step: str
) -> None:
    """Killed after the entry is written and before the alias moves, or after it moved and before that is noted."""
    judged_by(live, BAD)
    with live.database() as db:
        event = {
            "alias": "update on registered_model_aliases when new.alias = 'champion'",
            "note": "insert on model_version_tags when new.key = 'mlgates.projected'",
        }[step]
        # The statement stalls as a registry does that is far away: long enough to be killed in.
        db.execute(
            f"create trigger stall before {event} begin select sum(a.value * b.value) from "
            "(with recursive n(value) as (select 1 union all select value + 1 from n where value < 20000) "
            "select value from n) a, (with recursive m(value) as (select 1 union all select value + 1 from m where "
            "value < 20000) select value from m) b; end"
        )
    watches.append(first := Watch(live, "--apply"))
    first.until("ROLLBACK STARTS")
    written = {"alias": lambda: count(live, ROLLBACKS) == 1, "note": lambda: live.champion() == CHAMPION}[step]
    deadline = time.monotonic() + 60
    while not written() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(first.process.pid, signal.SIGKILL)
    first.process.wait()
    with contextlib.closing(live.database()) as db:
        deadline = time.monotonic() + 60
        while True:
            try:
                db.execute("drop trigger stall")
                db.commit()
                break
            except Exception:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
    watches.append(second := Watch(live, "--apply", "--looks", "1"))
    second.process.wait(90)
    assert live.champion() == CHAMPION, second.said
    assert count(live, ROLLBACKS) == 1
