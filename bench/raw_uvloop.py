"""A uvloop Protocol that writes a fixed answer: what a Python server on transports cannot beat.

It counts the ends of request heads and parses nothing. Usage: `python raw_uvloop.py PORT`.
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

import uvloop

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 13\r\n\r\nHello, World!"
END_OF_HEAD = b"\r\n\r\n"


class FixedAnswerProtocol(asyncio.Protocol):
    """Write the fixed answer once for every request head that ends."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; nothing of a head has been seen."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass of it.
        self.tail = b""

    def data_received(self, data: bytes) -> None:
        """Answer the heads that end in `data`, one write for all of them."""
        data = self.tail + data if self.tail else data
        count = data.count(END_OF_HEAD)
        if count:
            self.transport.write(ANSWER if count == 1 else ANSWER * count)
        self.tail = b"" if data.endswith(END_OF_HEAD) else data[-len(END_OF_HEAD) + 1 :]


async def serve(port: int) -> None:
    """Serve on 127.0.0.1 until the process is told to stop."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(FixedAnswerProtocol, "127.0.0.1", port, backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
