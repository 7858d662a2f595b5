"""An application under hostile clients: it sends without an end, or goes on when nobody is left.

What it does not know itself is for `tests.apps.sockets`, and for that one's `stage`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio

from esg.asgi import Message, Receive, Scope, Send
from tests.apps import sockets
from tests.apps.stage import content, start, tell

Route = Callable[[Scope, Receive, Send], Awaitable[object]]
BLOCK = bytes(65_536)
# Seconds that a send() waits before it is said to wait for the client.
BLOCKED = 0.6
MOST = 256 * 2**20


async def _pour(send: Send, message: Message) -> None:
    """Send a message until the client takes no more; tell so, and wait for its end."""
    told = False
    try:
        while True:
            with anyio.move_on_after(BLOCKED):
                await send(message)
                continue
            if not told:
                tell("pour: blocked")
                told = True
    except OSError as error:
        tell(f"pour: {type(error).__name__}")


async def _insist(send: Send, message: Message) -> None:
    """Send a message as if somebody were there, as often as makes 256 MiB."""
    refused = 0
    for _ in range(MOST // len(BLOCK)):
        try:
            await send(message)
        except OSError:
            refused += 1
    tell(f"insist: {refused} refused" if refused else "insist: all taken")


async def pour(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Send content without an end."""
    await send(start())
    await _pour(send, content(BLOCK, True))


async def insist(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Send 256 MiB, whoever has gone."""
    await send(start())
    await _insist(send, content(BLOCK, True))


async def pour_frames(_scope: Scope, receive: Receive, send: Send) -> None:
    """Send messages without an end."""
    await sockets.accept(receive, send)
    await _pour(send, {"type": "websocket.send", "bytes": BLOCK})


async def insist_on_frames(_scope: Scope, receive: Receive, send: Send) -> None:
    """Send 256 MiB of messages, whoever has gone."""
    await sockets.accept(receive, send)
    await _insist(send, {"type": "websocket.send", "bytes": BLOCK})


ROUTES: dict[tuple[str, str], Route] = {
    ("http", "/pour"): pour,
    ("http", "/insist"): insist,
    ("websocket", "/pour"): pour_frames,
    ("websocket", "/insist"): insist_on_frames,
}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve the route."""
    await ROUTES.get((scope["type"], scope.get("path", "")), sockets.app)(scope, receive, send)
