"""The process that asks a workload during a drill: open loop, a connection a question, every answer checked.

It reads one line, the plan, from its standard input, asks until that input ends, and then writes one line, what came
of it. It ends with its parent, whose end closes the input.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import aiohttp

from pytest_mlgates.errors import CouldNotEvaluate
from pytest_mlgates.wires import by_name
from pytest_mlgates.wires.alike import alike

#: Longest list of single faults that is told.
_TOLD = 20


class Asking:
    """`expected` maps a run id to the values its model answers."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._plan = plan
        self._wire = by_name(plan["wire"])
        self._faults: Counter[str] = Counter()
        self._told: list[tuple[float, str]] = []
        self._right: Counter[str] = Counter()
        self._latest = 0.0

    async def run(self, over: asyncio.Event) -> dict[str, Any]:
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        timeout = aiohttp.ClientTimeout(total=self._plan["timeout"])
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            under_way: set[asyncio.Task[None]] = set()
            begun = time.monotonic()
            sent = 0
            while not over.is_set():
                due = begun + sent / self._plan["rate"]
                wait = due - time.monotonic()
                if wait > 0:
                    await asyncio.sleep(wait)
                self._latest = max(self._latest, time.monotonic() - due)
                task = asyncio.create_task(self._ask(session, time.time()))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
                sent += 1
            await asyncio.gather(*under_way)
        failed = sum(self._faults.values())
        return {
            "sent": sent,
            "failed": failed,
            "right": dict(self._right),
            "faults": dict(self._faults),
            "first": self._told,
            "seconds": time.monotonic() - begun,
            "lateness": self._latest,
        }

    async def _ask(self, session: aiohttp.ClientSession, at: float) -> None:
        plan = self._plan
        try:
            async with session.request(
                plan["method"], plan["url"], data=plan["body"].encode(), headers=plan["headers"], allow_redirects=False
            ) as answer:
                body = await answer.read()
                fault = self._fault(answer.status, answer.headers, body)
        except TimeoutError:
            fault = f"no answer within {plan['timeout']:g} s"
        except (aiohttp.ClientError, OSError) as problem:
            fault = f"{type(problem).__name__}: {problem}"[:200]
        if fault:
            self._faults[fault] += 1
            if len(self._told) < _TOLD:
                self._told.append((at, fault))

    def _fault(self, status: int, headers: Mapping[str, str], body: bytes) -> str:
        if status != 200:
            return f"status {status}: {body[:120].decode(errors='replace')}"
        kind = headers.get("Content-Type", "")
        run = headers.get("X-Model-Run-Id", "")
        expected = self._plan["expected"].get(run)
        if expected is None:
            return f"answered by run {run or '(none named)'}, which is not part of the drill"
        try:
            found = self._wire.read(status, {"content-type": kind}, body, len(expected))
        except CouldNotEvaluate as problem:
            return str(problem)[:200]
        if not alike(found, expected, self._plan["tolerance"]):
            return f"the answer of run {run} is not the one its model gives"
        self._right[run] += 1
        return ""


async def main() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=64 * 2**20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    plan = json.loads(await reader.readline())
    over = asyncio.Event()
    asking = asyncio.create_task(Asking(plan).run(over))
    print("asking", flush=True)
    await reader.read()
    over.set()
    print(json.dumps(await asking), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
