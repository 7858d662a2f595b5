"""An application with a WebSocket for every behaviour that a test asks for; it tells as `stage`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from esg.asgi import Message, Receive, Scope, Send
from tests.apps import stage
from tests.apps.stage import gate, tell

Route = Callable[[Scope, Receive, Send], Awaitable[object]]


def shown(message: Message) -> str:
    """Write a message in one line, contents as sizes."""
    if message["type"] == "websocket.disconnect":
        return f"disconnect {message['code']} {message['reason']!r}"
    kind = "text" if "text" in message else "bytes"
    return f"{kind} {len(message[kind])}"


async def accept(receive: Receive, send: Send) -> None:
    """Take the connect event and accept."""
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})


async def echo(_scope: Scope, receive: Receive, send: Send) -> None:
    """Send every message back."""
    await accept(receive, send)
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})
    tell(f"echo: {shown(message)}")


async def hang(_scope: Scope, receive: Receive, _send: Send) -> None:
    """Neither accept nor refuse."""
    await receive()
    tell("hang: waiting")
    tell(f"hang: {shown(await receive())}")


async def slow(_scope: Scope, receive: Receive, send: Send) -> None:
    """Accept, and receive only once the gate is open."""
    await accept(receive, send)
    tell("slow: waiting")
    await gate()
    count = 0
    while (message := await receive())["type"] == "websocket.receive":
        count += 1
    tell(f"slow: {count} messages, then {shown(message)}")


async def close(_scope: Scope, receive: Receive, send: Send) -> None:
    """Close with a code of our own, and wait for the end."""
    await accept(receive, send)
    await send({"type": "websocket.close", "code": 4002, "reason": "réason"})
    tell(f"close: {shown(await receive())}")


async def refuse(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Close before accepting."""
    await send({"type": "websocket.close"})


async def silent(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Return without an answer."""


async def deny(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer with a response."""
    headers = [(b"x-why", b"because"), (b"content-length", b"6")]
    await send({"type": "websocket.http.response.start", "status": 401, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": b"not", "more_body": True})
    await send({"type": "websocket.http.response.body", "body": b"you"})


ROUTES: dict[str, Route] = {
    f"/{route.__name__}": route for route in (echo, hang, slow, close, refuse, silent, deny)
}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve the route; what is no WebSocket is `stage`'s."""
    if scope["type"] == "websocket":
        await ROUTES[scope["path"]](scope, receive, send)
    else:
        await stage.app(scope, receive, send)
