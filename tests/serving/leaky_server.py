"""A scoring server that leaves so many bytes behind at each request: ``python leaky_server.py BYTES``.

It writes its port to standard output and ends when standard input does. Small answers over asyncio, so that a test
may send thousands.
"""

from __future__ import annotations

import asyncio
import sys

ANSWER = b'{"predictions": [0.5]}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(ANSWER)
KEPT: list[bytearray] = []


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    leak = int(sys.argv[1])
    while True:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.split(b":")[1]))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            return
        if leak:
            KEPT.append(bytearray(leak))
        writer.write(HEAD + ANSWER)
        await writer.drain()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
