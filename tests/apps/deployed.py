"""What the samples of deploy/ are tried with."""

from __future__ import annotations

import os

from esg.asgi import Receive, Scope, Send


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the client, or with the process; /echo sends back; so does a WebSocket."""
    if scope["type"] == "websocket":
        await converse(receive, send)
        return
    if scope["type"] != "http":
        raise NotImplementedError("no lifespan")
    if scope["path"] == "/echo":
        await echo(receive, send)
        return
    client = scope["client"][0] if scope["client"] else "nobody"
    said = f"{client} {scope['scheme']}" if scope["path"] == "/client" else str(os.getpid())
    length = (b"content-length", b"%d" % len(said))
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": said.encode()})


async def echo(receive: Receive, send: Send) -> None:
    """Send the content back as it comes."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    more = True
    while more:
        event = await receive()
        more = event.get("more_body", False)
        body = {"body": event.get("body", b""), "more_body": more}
        await send({"type": "http.response.body", **body})


async def converse(receive: Receive, send: Send) -> None:
    """Send messages back."""
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": event["text"]})
