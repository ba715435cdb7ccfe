"""The address of a local workload: passes each question to one ready pod, and never to one that is leaving."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import aiohttp
from aiohttp import web

from pytest_mlgates.adapters.local.pods import PodProcess

#: Belong to one connection, not to the question or the answer.
_HOP = {
    "connection",
    "content-encoding",
    "content-length",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}


class Front:
    """Hands out questions in turn. When a connection broke before any answer came, the next pod is asked, once:
    a pod may close an idle connection at the moment it is used again.
    """

    def __init__(self, pods: Callable[[], Sequence[PodProcess]], session: aiohttp.ClientSession) -> None:
        self._pods, self._session = pods, session
        self._turn = itertools.count()
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def open(self) -> None:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = int(self._runner.addresses[0][1])

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        trouble = "no pod is ready"
        for _ in range(2):
            ready = [pod for pod in self._pods() if pod.ready and not pod.leaving]
            if not ready:
                break
            pod = ready[next(self._turn) % len(ready)]
            pod.under_way += 1
            try:
                return await self._asked(pod, request, body)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as problem:
                trouble = f"{pod.name} broke the connection: {problem}"
            except (aiohttp.ClientError, TimeoutError) as problem:
                return web.json_response({"error": f"{pod.name}: {problem!r}"}, status=502)
            finally:
                pod.under_way -= 1
        return web.json_response({"error": trouble}, status=503)

    async def _asked(self, pod: PodProcess, request: web.Request, body: bytes) -> web.Response:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        url = f"http://{pod.address}{request.raw_path}"
        async with self._session.request(
            request.method, url, data=body or None, headers=headers, allow_redirects=False
        ) as answer:
            content = await answer.read()
            kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in _HOP]
            told = web.Response(status=answer.status, body=content)
            told.headers.clear()
            told.headers.extend(kept)
            return told
