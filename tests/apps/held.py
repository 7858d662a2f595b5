"""An application for clients by the hundred thousand: it tells nothing, but what its process holds."""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
from collections import Counter
from collections.abc import Awaitable, Callable

import anyio
from anyio.lowlevel import checkpoint

from esg.asgi import Message, Receive, Scope, Send
from tests.apps import stage
from tests.apps.stage import answer, content, start

Route = Callable[[Scope, Receive, Send], Awaitable[object]]
BLOCK = bytes(65_536)
# Of those: a GiB. Not without an end, for not every server says by an error that nobody is left.
MANY = 16_384
# What waits, whoever made it: asyncio's, uvloop's and trio's.
_WAITING = ("Task", "TimerHandle", "CancelScope")
_kept: list[Send] = []


async def held(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer with what is alive: objects of the server, tasks, timers, descriptors, and all."""
    logging.getLogger("esg").setLevel(logging.CRITICAL)  # of 100,000 failures
    gc.collect()
    kinds = Counter(type(found) for found in gc.get_objects())
    alive: Counter[str] = Counter()
    for kind, count in kinds.items():
        # Not every type says a name as its module.
        if (module := str(kind.__module__)).startswith("esg."):
            alive[f"{module}.{kind.__name__}"] += count
        elif kind.__name__ in _WAITING:
            alive[kind.__name__] += count
    alive["descriptors"] = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a name is enough
    total = {"objects": kinds.total(), "blocks": sys.getallocatedblocks()}
    del kinds
    await answer(send, json.dumps({**alive, **total}).encode(), b"application/json")


async def count(_scope: Scope, receive: Receive, send: Send) -> None:
    """Receive the content, and say how much it was."""
    size, more = 0, True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            return
        size += len(event["body"])
        more = event["more_body"]
    await answer(send, b"%d" % size)


async def listen(_scope: Scope, receive: Receive, send: Send) -> None:
    """Begin an answer, and wait for the client's end."""
    await send(start())
    await send(content(b"first", True))
    while (await receive())["type"] != "http.disconnect":
        pass


async def unread(_scope: Scope, receive: Receive, _send: Send) -> None:
    """Receive nothing for a moment, then up to the end, and answer nothing."""
    await anyio.sleep(0.2)
    while (await receive())["type"] != "http.disconnect":
        pass


async def pour(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Send far more than anybody takes."""
    await send(start())
    for _ in range(MANY):
        await send(content(BLOCK, True))


async def keep(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer, and keep what belongs to the request for good."""
    _kept.append(send)
    await answer(send, b"kept")


async def fail(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Fail."""
    raise ValueError("on purpose")


async def _accept(receive: Receive, send: Send) -> Message:
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})
    return await receive()


async def echo(_scope: Scope, receive: Receive, send: Send) -> None:
    """Send every message back."""
    message = await _accept(receive, send)
    while message["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})
        message = await receive()


async def pour_frames(_scope: Scope, receive: Receive, send: Send) -> None:
    """Send far more messages than anybody takes, after the first one."""
    await _accept(receive, send)
    for _ in range(MANY):
        await send({"type": "websocket.send", "bytes": BLOCK})


async def deaf(_scope: Scope, receive: Receive, send: Send) -> None:
    """Accept, and receive nothing."""
    await receive()
    await send({"type": "websocket.accept"})
    await anyio.sleep_forever()


async def hang(_scope: Scope, receive: Receive, _send: Send) -> None:
    """Accept nothing; wait for the end."""
    while (await receive())["type"] != "websocket.disconnect":
        await checkpoint()


ROUTES: dict[tuple[str, str], Route] = {
    ("http", "/count"): count,
    ("http", "/fail"): fail,
    ("http", "/held"): held,
    ("http", "/keep"): keep,
    ("http", "/listen"): listen,
    ("http", "/pour"): pour,
    ("http", "/unread"): unread,
    ("websocket", "/deaf"): deaf,
    ("websocket", "/echo"): echo,
    ("websocket", "/hang"): hang,
    ("websocket", "/pour"): pour_frames,
}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve the route; what is none of these is `stage`'s."""
    await ROUTES.get((scope["type"], scope.get("path", "")), stage.app)(scope, receive, send)
