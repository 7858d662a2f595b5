"""Applications whose lifespans go every way that there is."""

from __future__ import annotations

import anyio

from esg.asgi import Receive, Scope, Send
from tests.apps.stage import answer, tell


async def hangs(scope: Scope, receive: Receive, send: Send) -> None:
    """Never start."""
    assert (await receive())["type"] == "lifespan.startup"
    tell("hangs: startup")
    try:
        await anyio.sleep_forever()
    except BaseException as error:
        tell(f"hangs: {type(error).__name__}")
        raise


async def failed(scope: Scope, receive: Receive, send: Send) -> None:
    """Say that start-up failed."""
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "the database is away"})


async def unsupported(scope: Scope, receive: Receive, send: Send) -> None:
    """Know no lifespan."""
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    await answer(send, b"unsupported")


async def broken(scope: Scope, receive: Receive, send: Send) -> None:
    """Raise after the start-up event."""
    if scope["type"] == "lifespan":
        await receive()
        raise ValueError("start-up is broken")
    await answer(send, b"broken")


async def shutdown_fails(scope: Scope, receive: Receive, send: Send) -> None:
    """Say that shutdown failed."""
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.failed", "message": "the disk is full"})
