"""An application for servers of several processes: it answers with the number of its process.

/         the number
/block    blocks the event loop for good, but for signals
/leak     holds as many bytes more as the query says
/exit     leaves the process without a word
/slow     answers after as many seconds as the query says
"""

from __future__ import annotations

import os
import sys
import time

import anyio

from esg.asgi import Receive, Scope, Send

_leaked: list[bytes] = []


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    query = scope["query_string"].decode()
    if scope["path"] == "/block":
        sys.stdout.write(f"# block: {os.getpid()}\n")
        sys.stdout.flush()
        while True:
            time.sleep(3600)  # noqa: ASYNC251 - to block is the point
    elif scope["path"] == "/leak":
        _leaked.append(b"x" * int(query))
    elif scope["path"] == "/exit":
        os._exit(7)
    elif scope["path"] == "/slow":
        sys.stdout.write(f"# slow: {os.getpid()}\n")
        sys.stdout.flush()
        await anyio.sleep(float(query))
    body = b"%d" % os.getpid()
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    sys.stdout.write(f"# lifespan: shutdown {os.getpid()}\n")
    sys.stdout.flush()
    await send({"type": "lifespan.shutdown.complete"})
