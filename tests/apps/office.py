"""An application for tests of several processes: it says which of them answers, and obeys."""

from __future__ import annotations

import os
import time

import anyio

from esg.asgi import Receive, Scope, Send

started = os.environ.get("OFFICE_START", "")
if started == "import":
    raise RuntimeError("on purpose")


async def lifespan(receive: Receive, send: Send) -> None:
    """Start and stop as OFFICE_START says; say so on standard output."""
    await receive()
    if started == "fail":
        await send({"type": "lifespan.startup.failed", "message": "on purpose"})
        return
    if started == "slow":
        await anyio.sleep(float(os.environ["OFFICE_SLOWNESS"]))
    tell("started")
    await send({"type": "lifespan.startup.complete"})
    await receive()
    tell("stopped")
    await send({"type": "lifespan.shutdown.complete"})


def tell(what: str) -> None:
    """Write a line of its own, whatever other processes write."""
    os.write(1, f"# {os.getpid()}: {what}\n".encode())


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the process's number; /block blocks it, /wait waits for the end of content."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    if scope["path"] == "/block":
        tell("blocked")
        while True:  # in steps: Python hears signals between them
            time.sleep(0.01)  # noqa: ASYNC251 - that is the point
    if scope["path"] == "/wait":
        tell("waiting")
    while (await receive()).get("more_body"):
        pass
    body = b"%d" % os.getpid()
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})
