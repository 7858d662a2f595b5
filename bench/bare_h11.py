"""The smallest HTTP/1.1 server on h11 and anyio: what a pure server of these parts cannot beat.

It has no application, limits, timeouts or checks: every request is read to its end and gets the
same answer, in one write. Usage: `python bare_h11.py asyncio|uvloop|trio PORT`.
"""

from __future__ import annotations

import sys
from typing import Any

import anyio
import anyio.abc
import h11

HELLO = b"Hello, World!"
HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(HELLO))]
RECEIVE_SIZE = 65536
RUN_ARGUMENTS: dict[str, dict[str, Any]] = {
    "asyncio": {"backend": "asyncio"},
    "uvloop": {"backend": "asyncio", "backend_options": {"use_uvloop": True}},
    "trio": {"backend": "trio"},
}


def fixed_answer(connection: h11.Connection) -> bytes:
    """Serialise one whole response and make the connection ready for the next request."""
    response = h11.Response(status_code=200, headers=HEADERS)
    parts = [
        connection.send(response),
        connection.send(h11.Data(data=HELLO)),
        connection.send(h11.EndOfMessage()),
    ]
    connection.start_next_cycle()
    return b"".join(part for part in parts if part)


async def serve_connection(stream: anyio.abc.SocketStream) -> None:
    """Answer the requests of one connection until the client closes it."""
    connection = h11.Connection(h11.SERVER)
    async with stream:
        try:
            while True:
                event = connection.next_event()
                if event is h11.NEED_DATA:
                    connection.receive_data(await stream.receive(RECEIVE_SIZE))
                elif isinstance(event, h11.EndOfMessage):
                    await stream.send(fixed_answer(connection))
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            return


async def serve(port: int) -> None:
    """Serve on 127.0.0.1 until the process is told to stop."""
    listener = await anyio.create_tcp_listener(
        local_host="127.0.0.1", local_port=port, backlog=2048
    )
    await listener.serve(serve_connection)


if __name__ == "__main__":
    anyio.run(serve, int(sys.argv[2]), **RUN_ARGUMENTS[sys.argv[1]])
