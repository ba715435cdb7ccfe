"""One pod of the local cluster: a process of its own that answers HTTP on loopback, and is watched."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from pytest_mlgates.adapters.local.probe import probed
from pytest_mlgates.adapters.serving.lease import Lease, die_with_parent

#: Seconds between two looks at a pod that is not ready yet.
LOOK = 0.05
#: The first and the longest pause, in seconds, before a pod whose process ended is started again.
PAUSES = (0.2, 5.0)
_GRACE = 5.0


@dataclass(frozen=True, slots=True)
class Template:
    """What makes pods alike: they are told this release and carry this mark."""

    model_uri: str
    run_id: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Spec:
    """How a pod is run: its command, what it sees of the environment, and the question whose answer makes it ready
    (a GET of `path`, or a POST of `body`), together with the command `probe`, where there is one."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    path: str = "/ping"
    body: str = ""
    content_type: str = "application/json"
    probe: tuple[str, ...] = ()
    drain: float = 10.0


@dataclass(eq=False)
class PodProcess:
    """Runs until it is ended; a process that ends by itself is started again, after longer and longer pauses."""

    template: Template
    spec: Spec
    folder: Path
    say: Callable[[str], None]
    wake: Callable[[], None]
    uid: str = field(default_factory=lambda: str(uuid.uuid4()))
    ready: bool = False
    leaving: bool = False
    restarts: int = 0
    under_way: int = 0
    port: int = 0
    _process: asyncio.subprocess.Process | None = None
    _life: asyncio.Task[None] | None = None
    _said: str = ""

    @property
    def name(self) -> str:
        return f"pod-{self.uid[:8]}"

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "logs" / f"{self.name}.log"

    @property
    def lease(self) -> Path:
        return self.folder / "pods" / self.name

    def begin(self, session: aiohttp.ClientSession) -> None:
        self._life = asyncio.create_task(self._live(session))

    def described(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "uid": self.uid,
            "address": self.address,
            "ready": self.ready,
            "run_id": self.template.run_id,
            "restarts": self.restarts,
        }

    async def end(self, *, at_once: bool = False) -> None:
        """Take no more questions, answer those under way, then stop. `at_once` kills."""
        self.leaving = True
        if not at_once:
            deadline = time.monotonic() + self.spec.drain
            while self.under_way and time.monotonic() < deadline:
                await asyncio.sleep(0.01)
        if self._life is not None:
            self._life.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._life
        await self._stop(signal.SIGKILL if at_once else signal.SIGTERM)
        self.ready = False
        for file in (self.lease, self.log):
            file.unlink(missing_ok=True)

    async def _live(self, session: aiohttp.ClientSession) -> None:
        pause = PAUSES[0]
        while True:
            await self._start()
            assert self._process is not None
            ended = asyncio.create_task(self._process.wait())
            try:
                await self._until_ready(session, ended)
                code = await ended
            finally:
                ended.cancel()
            self.ready = False
            how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
            self.say(f"{self.name} {how}; it starts again in {pause:g} s")
            self.wake()
            await asyncio.sleep(pause)
            self.restarts += 1
            pause = min(2 * pause, PAUSES[1])

    async def _start(self) -> None:
        self.port = free_port()
        told = {
            "MODEL_URI": self.template.model_uri,
            "RUN_ID": self.template.run_id,
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
        }
        with self.log.open("ab") as log:
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *self.spec.command,
                    env={**self.spec.environment, **told},
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    preexec_fn=die_with_parent,
                )
            except OSError as problem:
                log.write(f"{self.spec.command[0]}: {problem.strerror}\n".encode())
                self._process = await asyncio.create_subprocess_exec("false")
        lease = Lease.of(self._process.pid)
        self.lease.write_text(f"{lease.pid} {lease.started}\n")

    async def _until_ready(self, session: aiohttp.ClientSession, ended: asyncio.Task[int]) -> None:
        while not ended.done():
            if await self._answers(session) and await self._is_probed():
                self.ready = True
                self.say(f"{self.name} is ready")
                self.wake()
                return
            await asyncio.sleep(LOOK)

    async def _answers(self, session: aiohttp.ClientSession) -> bool:
        method = "POST" if self.spec.body else "GET"
        headers = {"Content-Type": self.spec.content_type}
        try:
            asked = session.request(
                method,
                f"http://{self.address}{self.spec.path}",
                data=self.spec.body or None,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=5),
            )
            async with asked as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    async def _is_probed(self) -> bool:
        if not self.spec.probe:
            return True
        told = {"{url}": f"http://{self.address}", "{run_id}": self.template.run_id}
        right, said = await probed(self.spec.probe, told, self.spec.environment)
        if not right and said != self._said:
            self._said = said
            self.say(f"{self.name} is not ready: {said}")
        return right

    async def _stop(self, how: signal.Signals) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        for sign in (how, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, sign)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), _GRACE)
                return


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
