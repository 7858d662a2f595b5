"""A server that any client can fill, to see that the attacks see it: `python gullible.py PORT`."""

from __future__ import annotations

import asyncio
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Read a head, however long it is, and answer."""
    head = b""
    pieces = []
    while b"\r\n\r\n" not in head[-4:]:
        if not (head := await reader.read(2**20)):
            return
        pieces.append(head)
    writer.write(ANSWER)
    await writer.drain()
    writer.close()


async def main() -> None:
    """Serve until the process ends."""
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
