"""An application with a WebSocket for every behaviour that a test asks for; it tells as `stage`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio

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


async def flood(_scope: Scope, receive: Receive, send: Send) -> None:
    """Send without an end."""
    await accept(receive, send)
    sent = 0
    try:
        while True:
            await send({"type": "websocket.send", "bytes": bytes(65536)})
            sent += 1
    except OSError as error:
        tell(f"flood: {type(error).__name__}")
        raise


async def close(_scope: Scope, receive: Receive, send: Send) -> None:
    """Close with a code of our own, and wait for the end."""
    await accept(receive, send)
    await send({"type": "websocket.close", "code": 4002, "reason": "réason"})
    tell(f"close: {shown(await receive())}")


async def late(_scope: Scope, receive: Receive, send: Send) -> None:
    """Accept once the gate is open, then echo."""
    tell("late: waiting")
    await gate()
    await echo(_scope, receive, send)


async def fail(_scope: Scope, receive: Receive, send: Send) -> None:
    """Accept and raise."""
    await accept(receive, send)
    raise ValueError("on purpose")


async def done(_scope: Scope, receive: Receive, send: Send) -> None:
    """Accept and return."""
    await accept(receive, send)


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


async def deny_late(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Begin a response, and go on once the gate is open."""
    await send({"type": "websocket.http.response.start", "status": 401})
    tell("deny: begun")
    await gate()
    await send({"type": "websocket.http.response.body", "body": b"no"})


async def deny_half(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Return within a response."""
    await send({"type": "websocket.http.response.start", "status": 401})
    await send({"type": "websocket.http.response.body", "body": b"not", "more_body": True})


async def forever(_scope: Scope, receive: Receive, send: Send) -> None:
    """Accept, and wait for what never comes."""
    await accept(receive, send)
    tell("forever: waiting")
    try:
        await anyio.sleep_forever()
    except BaseException as error:
        tell(f"forever: {type(error).__name__}")
        raise


ROUTES: dict[str, Route] = {
    f"/{route.__name__.replace('_', '-')}": route
    for route in (
        *(echo, hang, slow, flood, close, late, fail, done, refuse, silent),
        *(deny, deny_late, deny_half, forever),
    )
}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve the route; what is no WebSocket is `stage`'s."""
    if scope["type"] == "websocket":
        await ROUTES[scope["path"]](scope, receive, send)
    else:
        await stage.app(scope, receive, send)
