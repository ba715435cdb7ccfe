"""The HTTP side of the webhook: starlette and uvicorn. It reads no more than the limit, and answers at once."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pytest_mlgates.errors import UsageError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

#: Seconds that a connection may stay open without a word.
_IDLE = 15
#: Takes headers in lower case and the body; (status, answer).
Take = Callable[[Mapping[str, str], bytes], tuple[int, dict[str, Any]]]


def serve(take: Take, host: str, port: int, limit: int, listening: Callable[[str], None]) -> None:
    """Until SIGTERM or SIGINT. `listening` is told the URL once posts are taken. Raises UsageError."""
    try:
        import uvicorn
    except ImportError:
        raise _missing() from None
    bound = _bound(host, port)
    url = f"http://{host}:{bound.getsockname()[1]}/alerts"
    config = uvicorn.Config(
        _app(take, limit),
        log_level="critical",
        access_log=False,
        timeout_keep_alive=_IDLE,
        limit_concurrency=200,
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=32 * 1024,
        http="h11",
        ws="none",
    )

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            listening(url)

    Server(config).run(sockets=[bound])


def _app(take: Take, limit: int) -> Any:
    try:
        from starlette.applications import Starlette
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import JSONResponse, PlainTextResponse
        from starlette.routing import Route
    except ImportError:
        raise _missing() from None

    async def alerts(request: Request) -> Response:
        too_much = JSONResponse({"error": f"the post is longer than {limit} bytes"}, 413, {"Connection": "close"})
        announced = request.headers.get("content-length", "0")
        if not announced.isdecimal() or int(announced) > limit:
            return too_much
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > limit:
                return too_much
        headers = {key.lower(): value for key, value in request.headers.items()}
        status, answer = await run_in_threadpool(take, headers, bytes(body))
        return JSONResponse(json.loads(json.dumps(answer)), status)

    async def alive(_: Request) -> Response:
        return PlainTextResponse("alive\n")

    return Starlette(routes=[Route("/alerts", alerts, methods=["POST"]), Route("/healthz", alive)])


def _bound(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        bound = socket.socket(family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(128)
    except (OSError, OverflowError) as problem:
        raise UsageError(f"{host}:{port} cannot be listened on: {problem}; give another --host or --port") from None
    return bound


def _missing() -> UsageError:
    return UsageError('the webhook needs starlette and uvicorn: pip install "pytest-mlgates[watch]"')
