"""An application that says whom its scope tells of: for tests behind proxies."""

from __future__ import annotations

import json

from esg.asgi import Receive, Scope, Send


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the client, the server and the scheme; a WebSocket gets them in a message."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    host = dict(scope["headers"])[b"host"].decode()
    told = {name: scope[name] for name in ("client", "server", "scheme")} | {"host": host}
    body = json.dumps(told).encode()
    await receive()
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": body.decode()})
        await send({"type": "websocket.close"})
        return
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})
