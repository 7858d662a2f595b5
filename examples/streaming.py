"""A response sent in pieces: `esg examples.streaming:app`, then `curl -N localhost:8000`."""

from functools import partial

import anyio

from examples.asgi_types import Receive, Scope, Send
from examples.until_disconnect import until_disconnect

LINES = 10
INTERVAL = 0.5
"""Seconds between two lines."""


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Send one line every half second, and stop early if the client leaves.

    Raises NotImplementedError for any scope type but `http`.
    """
    if scope["type"] != "http":
        raise NotImplementedError(f"this application does not speak {scope['type']}")
    await until_disconnect(receive, partial(send_lines, send))


async def send_lines(send: Send) -> None:
    """Send the response; without a content-length the server chunks it (RFC 9112 section 7.1)."""
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for number in range(1, LINES + 1):
        line = b"line %d of %d\n" % (number, LINES)
        await send({"type": "http.response.body", "body": line, "more_body": True})
        if number < LINES:
            await anyio.sleep(INTERVAL)
    await send({"type": "http.response.body", "body": b""})
