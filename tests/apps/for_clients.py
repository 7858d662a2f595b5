"""What many clients ask at once: it greets, echoes, and knows how many connections there have been."""

from __future__ import annotations

from esg.asgi import Receive, Scope, Send

_seen: set[tuple[str, int]] = set()


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve `http` and `websocket`."""
    if scope["type"] == "websocket":
        await echo_messages(receive, send)
    elif scope["type"] == "http":
        _seen.add(tuple(scope["client"]))
        if scope["path"] == "/connections":
            await answer(send, b"%d" % len(_seen))
            _seen.clear()
        elif scope["method"] == "POST":
            await answer(send, await content(receive))
        else:
            await answer(send, b"hello")
    else:
        raise NotImplementedError(scope["type"])


async def content(receive: Receive) -> bytes:
    """Read all of a request's content."""
    read = b""
    more = True
    while more:
        message = await receive()
        read += message.get("body", b"")
        more = message.get("more_body", False)
    return read


async def answer(send: Send, body: bytes) -> None:
    """Send a response."""
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def echo_messages(receive: Receive, send: Send) -> None:
    """Accept a WebSocket and send back whatever comes."""
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        text = message.get("text")
        returned = {"bytes": message["bytes"]} if text is None else {"text": text}
        await send({"type": "websocket.send", **returned})
