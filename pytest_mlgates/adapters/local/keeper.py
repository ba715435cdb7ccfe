"""The process behind the local cluster: keeps workloads, and goes away with the last of them.

    python -m pytest_mlgates.adapters.local.keeper FOLDER

Returns when the keeper answers; it then lives on by itself. FOLDER holds `keeper.json` (where it answers), the
leases of its pods and their logs. A pod that an earlier keeper left behind is ended first.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from pytest_mlgates.adapters.local.pods import Spec, Template
from pytest_mlgates.adapters.local.workload import Workload
from pytest_mlgates.adapters.serving.lease import Lease, mine

#: Seconds without a workload after which the keeper ends, and between two looks at who owns what.
LINGER, LOOK = 2.0, 0.25
#: Seconds that whoever started it has for the first workload: on a machine that is busy, that may be long after.
UNASKED = 10.0
#: How long a keeper waits for one that is just going away.
_PATIENCE = 15.0
STATE = "keeper.json"


class Keeper:
    """Every call names its workload; what it does is in the method of the call's name."""

    def __init__(self, folder: Path, token: str) -> None:
        self.folder, self._token = folder, token
        self.workloads: dict[str, Workload] = {}
        self._session: aiohttp.ClientSession | None = None
        self._asked_for_at, self._linger = time.monotonic(), UNASKED

    async def run(self, ready: Callable[[], None]) -> None:
        # An idle connection is dropped here before the pod drops it there.
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=2)
        async with aiohttp.ClientSession(
            connector=connector, timeout=aiohttp.ClientTimeout(total=60), auto_decompress=False
        ) as self._session:
            app = web.Application(client_max_size=64 * 2**20)
            app.router.add_post("/{call}/{workload}", self._answer)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=5)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self._write_state(int(runner.addresses[0][1]))
            ready()
            try:
                await self._until_idle()
            finally:
                (self.folder / STATE).unlink(missing_ok=True)
                await asyncio.gather(*(workload.close() for workload in self.workloads.values()))
                await runner.cleanup()

    async def deploy(self, name: str, said: dict[str, Any]) -> dict[str, Any]:
        lists = {name: tuple(said["spec"].get(name, ())) for name in ("command", "probe")}
        spec = Spec(**{**said["spec"], **lists})
        if name not in self.workloads:
            assert self._session is not None
            owner = Lease(**said["owner"]) if said["owner"] else None
            workload = Workload(self.folder, spec, said["replicas"], owner, self._session)
            await workload.open()
            self.workloads[name] = workload
        self.workloads[name].deploy(Template(**said["template"]), spec)
        return self.workloads[name].described()

    async def state(self, name: str, said: dict[str, Any]) -> dict[str, Any]:
        return self.workloads[name].described() if name in self.workloads else {}

    async def undo(self, name: str, said: dict[str, Any]) -> dict[str, Any]:
        template = self._of(name).undo(said["to"])
        return {"model_uri": template.model_uri, "run_id": template.run_id}

    async def kill(self, name: str, said: dict[str, Any]) -> dict[str, Any]:
        self._of(name).kill(said["uid"])
        return {}

    async def clean(self, name: str, said: dict[str, Any]) -> dict[str, Any]:
        return {"removed": self._of(name).clean(said["mark"])}

    async def remove(self, name: str, said: dict[str, Any]) -> dict[str, Any]:
        workload = self.workloads.pop(name, None)
        if workload is not None:
            await workload.close()
        return {}

    def _of(self, name: str) -> Workload:
        if name not in self.workloads:
            raise LookupError(f"a workload {name!r}")
        return self.workloads[name]

    async def _answer(self, request: web.Request) -> web.Response:
        if not secrets.compare_digest(request.headers.get("X-Token", ""), self._token):
            return web.json_response({"error": "wrong token"}, status=403)
        calls: dict[str, Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]] = {
            call.__name__: call for call in (self.deploy, self.state, self.undo, self.kill, self.clean, self.remove)
        }
        self._asked_for_at = time.monotonic()
        await self._drop_orphans()
        try:
            call = calls[request.match_info["call"]]
            return web.json_response(await call(request.match_info["workload"], await request.json()))
        except LookupError as problem:
            return web.json_response({"error": f"there is no {problem.args[0]}"}, status=404)

    async def _until_idle(self) -> None:
        stopped = asyncio.Event()
        for sign in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(sign, stopped.set)
        while not stopped.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), LOOK)
            await self._drop_orphans()
            if self.workloads:
                self._asked_for_at, self._linger = time.monotonic(), LINGER
            if time.monotonic() - self._asked_for_at > self._linger:
                return

    async def _drop_orphans(self) -> None:
        """Whoever asks after the end of its owner must not find a workload that is about to go."""
        for name, workload in list(self.workloads.items()):
            if workload.owner is not None and not workload.owner.alive:
                await self.remove(name, {})

    def _write_state(self, port: int) -> None:
        me = mine()
        state = {"pid": me.pid, "started": me.started, "port": port, "token": self._token}
        new = self.folder / f"{STATE}.new"
        new.touch(mode=0o600)
        new.write_text(json.dumps(state))
        new.replace(self.folder / STATE)


def sweep(folder: Path) -> list[str]:
    """End pods that an earlier keeper left behind, and only those; the names of what was ended."""
    found = []
    for file in sorted((folder / "pods").glob("*")):
        pid, _, begun = file.read_text().strip().partition(" ")
        if pid.isdecimal() and Lease(int(pid), begun).kill():
            found.append(file.name)
    for name in ("pods", "logs"):
        shutil.rmtree(folder / name, ignore_errors=True)
    return found


def main(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "keeper.lock").open("w")
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if (folder / STATE).exists():
                return 0  # another keeper came first, and answers
            if time.monotonic() > deadline:
                print(f"another keeper holds {folder} and does not answer", file=sys.stderr)
                return 1
            time.sleep(0.05)
    sweep(folder)
    for name in ("pods", "logs"):
        (folder / name).mkdir()
    told, tell = os.pipe()
    if os.fork():
        os.close(tell)
        return 0 if os.read(told, 1) else 1
    os.setsid()
    os.close(told)
    with (folder / "keeper.log").open("w") as log, Path(os.devnull).open() as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)

    def ready() -> None:
        os.write(tell, b"+")
        os.close(tell)

    asyncio.run(Keeper(folder, secrets.token_hex(16)).run(ready))
    sweep(folder)
    (folder / "keeper.log").unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
