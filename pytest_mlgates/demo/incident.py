"""The demo's incident: the promoted version goes wrong in service, and what a person on call then reads.

Real parts: users and a fault proxy before the cluster, Prometheus, `mlgates watch --apply`, the ledger, the cluster.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_mlgates.demo.errors import DemoError
from pytest_mlgates.demo.fault_proxy import Fault, FaultProxy, fault_proxy
from pytest_mlgates.demo.git import Git
from pytest_mlgates.demo.place import resolved
from pytest_mlgates.demo.traffic import end, prometheus, question, users

#: What can go wrong, in words and for the proxy.
FAULTS = {
    "errors": ("half of its answers are errors (HTTP 500)", Fault(errors=0.5)),
    "slow": ("every answer takes 3 s longer", Fault(latency_s=3.0)),
    "resets": ("half of its connections are reset", Fault(resets=0.5)),
    "stalls": ("half of its questions get no answer for 3 s, and then none", Fault(stalls=0.5, stall_s=3.0)),
    "wrong": ("every answer is 200 OK, in time, and wrong", Fault(wrong=1.0)),
}
#: Windows are short, so that nobody waits five minutes for a demo; the limits are a service's own.
SETTINGS = """
[tool.mlgates.prometheus]       # who counts what users got
url = "{prometheus}"
champion = 'route="model"'      # questions to the model
control = 'route="plain"'       # beside them on the same machines: plain routes
step = 2

[tool.mlgates.endpoint]
champion_url = "{url}"          # where users ask

[tool.mlgates.slo]              # sooner than in a real service: seconds instead of minutes
errors_at_once_s = 15
seconds = 30
p99_ms = 2500
p99_at_once_ms = 5000
p99_at_once_s = 30
burn_in_s = 15
stale_s = 20

[tool.mlgates.canary]
pause_s = 1
"""
_ASKED = 'gates_live = ["golden_integrity", "slo", "canary"]  # what the champion must keep while it serves'
_GATES = re.compile(r"^(gates = .*)$", re.MULTILINE)
#: What a look that found nothing wrong begins with, after its time.
WELL = "Z well employment"
#: Seconds of traffic before anybody judges it: the longest window, and a scrape or two.
_BEFORE = 32.0
#: Seconds that anything may take that is waited for.
_LONG = 240.0


@dataclass
class _Watch:
    """A watcher in a process of its own; what it says is said on."""

    process: subprocess.Popen[str]
    say: Callable[[str], None]
    said: list[str] = field(default_factory=list)

    def read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip())
            self.say(line.rstrip())

    def until(self, words: str, since: int = 0) -> int:
        """The number of lines said once one after `since` has these words. Raises DemoError."""
        deadline = time.monotonic() + _LONG
        while time.monotonic() < deadline and self.process.poll() is None:
            for number, line in enumerate(self.said[since:], since + 1):
                if words in line:
                    return number
            time.sleep(0.1)
        raise DemoError(f"the watcher did not say {words!r} within {_LONG:g} s: is this machine very busy?")


TEXT = """\
Users, proxy and Prometheus have ended; what is on record stays. What to try next:
  cd {root}
  mlgates incident note 1 "it was the proxy"
      what was found, while it is fresh: `mlgates incident postmortem 1` has it
  mlgates incident handover
      what the next person on call must know
  mlgates runbook slo
      what to do when this gate fails
  mlgates history
      who was champion when, why, and on which evidence
  pytest --mlgate --mlgate-apply
      held: version 2 was rolled back from, so only a person's override lets it serve again
  mlgates cluster stop
      ends the pods, which go on serving until then
"""


def what_to_try(directory: Path) -> str:
    """After the incident; one command a line, to paste."""
    return TEXT.format(root=shlex.quote(str(resolved(directory))))


def stage(directory: Path, name: str, *, say: Callable[[str], None]) -> None:
    """Let the champion of a finished demo with a cluster go wrong as `name` (one of FAULTS) until the former one serves
    again; then show the incident's record and its post-mortem draft. Raises DemoError.
    """
    root = resolved(directory)
    run, upstream = _serving(root)
    words, fault = FAULTS[name]
    with _before(upstream) as proxy, _prometheus(root, proxy) as url, users(proxy.url, _question(root)):
        _settle(root, url, proxy.url)
        say(f"\n==> {_now()} users ask, and Prometheus looks on, for {_BEFORE:g} s")
        time.sleep(_BEFORE)
        _tell(root, say, "watch", "--apply", "--every", "5")
        with _watch(root, say) as watch:
            seen = watch.until(WELL)
            say(f"\n==> {_now()} FAULT ON: of the new version only, {words}\n")
            proxy.fault = _only(fault, run)
            if name == "wrong":
                seen = watch.until("PAGE ", seen)
                _person(root, say)
            else:
                seen = watch.until("ROLLED BACK", seen)
            seen = watch.until(WELL, seen)
        for asked in ("show", "postmortem"):
            _ran(root, say, "incident", asked, "1")


def _only(fault: Fault, run: str) -> Fault:
    return replace(fault, runs=(run,))


def _serving(root: Path) -> tuple[str, tuple[str, int]]:
    """The run that serves, and where. Raises DemoError."""
    from pytest_mlgates.doors.outside import open_cluster, registry_uri
    from pytest_mlgates.errors import MlgatesError
    from pytest_mlgates.settings import load

    try:
        settings = load(root, {}, {})
        cluster = open_cluster(settings, registry_uri(settings, {}), {}, drill=False)
        try:
            release = cluster.release()
            host, _, port = cluster.url().removeprefix("http://").partition(":")
        finally:
            cluster.close()
    except MlgatesError as problem:
        raise DemoError(f"there is no incident where nothing serves: {problem}") from None
    if release is None:
        raise DemoError("there is no incident where nothing serves: the cluster has no workload yet")
    return release.run_id, (host, int(port))


@contextlib.contextmanager
def _before(upstream: tuple[str, int]) -> Iterator[FaultProxy]:
    with fault_proxy(*upstream) as proxy:
        yield proxy


def _prometheus(root: Path, proxy: FaultProxy) -> contextlib.AbstractContextManager[str]:
    return prometheus(root / ".mlgates" / "prometheus", proxy.url.removeprefix("http://"))


def _question(root: Path) -> bytes:
    return question(root / "data" / "golden.parquet", ("id", "year", "employed"))


def _settle(root: Path, prometheus: str, url: str) -> None:
    """Write what the live phase asks, and commit it; what an earlier incident wrote is replaced."""
    file = root / "pyproject.toml"
    text = file.read_text().partition("\n[tool.mlgates.prometheus]")[0]
    if "gates_live" not in text:
        text = _GATES.sub(rf"\1\n{_ASKED}", text, count=1)
    file.write_text(text.rstrip("\n") + "\n" + SETTINGS.format(prometheus=prometheus, url=url))
    Git(root).commit("What serves is watched", "pyproject.toml")


@contextlib.contextmanager
def _watch(root: Path, say: Callable[[str], None]) -> Iterator[_Watch]:
    process = subprocess.Popen(
        _command("watch", "--apply", "--every", "5"),
        cwd=root,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    watch = _Watch(process, say)
    reader = threading.Thread(target=watch.read, daemon=True)
    reader.start()
    try:
        yield watch
    finally:
        end(process, 60)
        reader.join(5)


def _person(root: Path, say: Callable[[str], None]) -> None:
    """What a person who is asked does."""
    _ran(root, say, "incident", "ack", "1", "answers differ from the golden record; going back")
    _ran(root, say, "rollback", "--reason", "wrong answers in service", "--yes")


def _ran(root: Path, say: Callable[[str], None], *words: str) -> None:
    _tell(root, say, *words)
    done = subprocess.run(
        _command(*words), cwd=root, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    say(done.stdout.rstrip())
    if done.returncode != 0:
        raise DemoError(f"`mlgates {' '.join(words)}` ended with exit code {done.returncode}")


def _tell(root: Path, say: Callable[[str], None], *words: str) -> None:
    say(f"\n$ cd {shlex.quote(str(root))} && mlgates {shlex.join(words)}")


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "pytest_mlgates.cli", *words]


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
