"""An application on WebSocket for the tests with real clients; the path says what it does.

`# ended CODE REASON` on stdout is what it is told when a client has gone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable

from esg.asgi import Receive, Scope, Send

PUSHED = [f"{number}:".ljust(10_000, "p") for number in range(100)]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Pass a WebSocket to what its path names."""
    if scope["type"] != "websocket":
        raise NotImplementedError(scope["type"])
    assert (await receive())["type"] == "websocket.connect"
    await PATHS[scope["path"]](scope, receive, send)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Send every message back; the subprotocol is the last one offered."""
    subprotocol = scope["subprotocols"][-1] if scope["subprotocols"] else None
    headers = [(b"x-served-by", b"esg")]
    await send({"type": "websocket.accept", "subprotocol": subprotocol, "headers": headers})
    while (message := await receive())["type"] == "websocket.receive":
        text = message.get("text")
        content = {"bytes": message["bytes"]} if text is None else {"text": text}
        await send({"type": "websocket.send", **content})
    sys.stdout.write(f"# ended {message['code']} {message.get('reason', '')}\n")
    sys.stdout.flush()


async def close(scope: Scope, receive: Receive, send: Send) -> None:
    """Close after the first message, as that says: its code, and a reason."""
    await send({"type": "websocket.accept"})
    code, reason = json.loads((await receive())["text"])
    await send({"type": "websocket.close", "code": code, "reason": reason})


async def fail(scope: Scope, receive: Receive, send: Send) -> None:
    """Raise once there is a WebSocket to lose."""
    await send({"type": "websocket.accept"})
    raise RuntimeError("as the test asks")


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse the handshake."""
    await send({"type": "websocket.close"})


async def deny(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer the handshake with a response of its own."""
    headers = [(b"www-authenticate", b"Bearer"), (b"content-type", b"text/plain")]
    kind = "websocket.http.response"
    await send({"type": f"{kind}.start", "status": 401, "headers": headers})
    await send({"type": f"{kind}.body", "body": b"who ", "more_body": True})
    await send({"type": f"{kind}.body", "body": b"are you?"})


async def show_scope(scope: Scope, receive: Receive, send: Send) -> None:
    """Send what the scope says."""
    await send({"type": "websocket.accept"})
    names = ("type", "scheme", "http_version", "path", "subprotocols", "asgi")
    shown = {name: scope[name] for name in names}
    shown["query_string"] = scope["query_string"].decode("ascii")
    shown["headers"] = [[name.decode(), value.decode()] for name, value in scope["headers"]]
    await send({"type": "websocket.send", "text": json.dumps(shown)})


async def push(scope: Scope, receive: Receive, send: Send) -> None:
    """Send much without being asked, then wait for the end."""
    await send({"type": "websocket.accept"})
    for text in PUSHED:
        await send({"type": "websocket.send", "text": text})
    while (await receive())["type"] != "websocket.disconnect":
        pass


PATHS: dict[str, Callable[[Scope, Receive, Send], Awaitable[None]]] = {
    "/echo": echo,
    "/close": close,
    "/fail": fail,
    "/refuse": refuse,
    "/deny": deny,
    "/scope": show_scope,
    "/push": push,
}
