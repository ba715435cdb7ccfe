"""`mlgates watch`: the live phase every 30 seconds, until it is ended."""

from __future__ import annotations

import argparse
import signal
import threading
import time
from pathlib import Path

HELP = "look at what serves every 30 s; with --apply roll back what is proven bad"
LEASE = Path(".mlgates") / "watch.lease"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--apply", action="store_true", help="act on the decision; without it only say it")
    parser.add_argument("--model", help="which model of the settings")
    parser.add_argument("--every", type=float, metavar="S", help="seconds from look to look (default: the settings')")
    parser.add_argument("--looks", type=int, default=0, metavar="N", help="end after so many (default: never)")


def run(given: argparse.Namespace) -> int:
    import os

    from pytest_mlgates.adapters.watching.watch_lease import WatchLease
    from pytest_mlgates.required import required_gates
    from pytest_mlgates.settings import load

    settings = load(Path.cwd(), {"model": given.model, "phase": "live"}, os.environ)
    every = given.every if given.every is not None else settings.live.every_s
    if every < 1:
        from pytest_mlgates.errors import UsageError

        raise UsageError(f"--every {every:g}: a look takes longer than that; give 1 or more seconds")
    import datetime

    gates = required_gates(settings, (), datetime.date.today()).names
    stop = _stops()
    with WatchLease(settings.base / LEASE) as lease:
        if not _alone(lease, stop, every):
            return 0
        acts = "rolls back what is proven bad" if given.apply else "changes nothing (add --apply)"
        _say(f"watching {settings.model} every {every:g} s: {', '.join(gates)}; {acts}")
        return _looks(given, settings.base, every, settings.live.limit_s, stop)


def _looks(given: argparse.Namespace, base: Path, every: float, limit_s: float, stop: threading.Event) -> int:
    from pytest_mlgates.watch.look import look
    from pytest_mlgates.watch.watcher import STARTS, Watcher

    options = ["--mlgate-model", given.model] if given.model else []
    watcher, code = Watcher(), 0

    def heard(line: str) -> None:
        if line.startswith(STARTS):
            _say(f"{_now()} {line}")

    while not stop.is_set():
        began = time.monotonic()
        found = look(base, apply=given.apply, limit_s=limit_s, options=options, heard=heard)
        for line in watcher.lines(found, _now()):
            _say(line)
        code = found.exit
        if watcher.looks == given.looks:
            return code if code >= 0 else 128 - code
        stop.wait(max(0.0, every - (time.monotonic() - began)))
    _say(f"ended after {watcher.looks} looks: nobody watches now")
    return 0


def _alone(lease: object, stop: threading.Event, every: float) -> bool:
    """Wait while another watcher of this folder is at work; False when it was this one that was ended."""
    from pytest_mlgates.adapters.watching.watch_lease import WatchLease

    assert isinstance(lease, WatchLease)
    told = False
    while not lease.taken():
        if not told:
            _say(f"another watcher is at work here ({lease.holder()}): waiting to take over when it ends")
            told = True
        if stop.wait(min(every, 5.0)):
            return False
    return True


def _stops() -> threading.Event:
    """The first Ctrl-C or SIGTERM ends the watch after the look that is being taken, a second one at once."""
    stop = threading.Event()

    def end(number: int, _: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        _say("ending after this look; once more ends it now")

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    return stop


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _say(line: str) -> None:
    print(line, flush=True)
