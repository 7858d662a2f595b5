"""A server that is wrong on purpose: what the conformance suite must not let pass.

It serves HTTP/1.1 with Content-Length well enough for a browser, and believes everything it is
sent: Content-Length where there is a Transfer-Encoding, a bare LF for a line's end. It says nothing
at all to `PUT`, `DELETE` is its end, and its clients' ports are strings. It knows no WebSocket.

The arguments are the application, as "module:attribute", and the port; a third one, "anonymous",
has it name no clients.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
from typing import Any

ANONYMOUS = sys.argv[3:] == ["anonymous"]


async def serve_connection(app: Any, reader: Any, writer: Any) -> None:
    """Answer requests until the client has gone."""
    try:
        while head := await _read_head(reader):
            method, target, _ = head[0].split(" ")
            if method == "PUT":
                continue
            if method == "DELETE":
                os._exit(0)
            await _exchange(app, (reader, writer), method, target, head[1:])
    except (ConnectionError, ValueError):
        pass  # As wrong as it is, it goes on serving others.
    finally:
        writer.close()


async def _read_head(reader: Any) -> list[str]:
    lines: list[str] = []
    while line := (await reader.readline()).decode("latin-1").strip():
        lines.append(line)
    return lines


async def _exchange(
    app: Any, streams: tuple[Any, Any], method: str, target: str, lines: list[str]
) -> None:
    reader, writer = streams
    fields = [line.partition(":")[::2] for line in lines]
    headers = [(name.lower().encode(), value.strip().encode()) for name, value in fields]
    length = int(dict(headers).get(b"content-length", b"0"))
    content = await reader.readexactly(length) if length else b""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            writer.write(b"HTTP/1.1 %d OK\r\n" % message["status"])
            for pair in message["headers"]:
                writer.write(b"%s: %s\r\n" % tuple(pair))
            writer.write(b"\r\n")
        else:
            writer.write(message["body"])
            await writer.drain()

    peer = None if ANONYMOUS else [str(part) for part in writer.get_extra_info("peername")]
    path, _, query = target.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": headers,
        "client": peer,
    }
    await app(scope, receive, send)


async def main(app: str, port: int) -> None:
    """Serve an application on a port, until the end of the process."""
    module, _, name = app.partition(":")
    served = getattr(importlib.import_module(module), name)

    async def connected(reader: Any, writer: Any) -> None:
        await serve_connection(served, reader, writer)

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
