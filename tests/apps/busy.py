"""An application that does not end when it is asked to: threads, and a blocked loop."""

from __future__ import annotations

import asyncio
import time

import anyio.to_thread

from esg.asgi import Receive, Scope, Send

LONG = 30.0  # seconds; longer than any bound of a stop


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Say what begins, and stay busy with it."""
    if scope["type"] != "http":
        raise RuntimeError("no lifespan")
    await receive()
    print(f"# {scope['path']}: begun", flush=True)  # noqa: T201 - the test waits for it
    if scope["path"] == "/thread":
        await anyio.to_thread.run_sync(time.sleep, LONG)
    elif scope["path"] == "/executor":
        await asyncio.get_running_loop().run_in_executor(None, time.sleep, LONG)
    else:
        give_up = time.monotonic() + LONG
        while time.monotonic() < give_up:  # in steps: Python hears signals between them
            time.sleep(0.01)  # noqa: ASYNC251 - that is the point
    await send({"type": "http.response.start", "status": 204})
    await send({"type": "http.response.body"})
