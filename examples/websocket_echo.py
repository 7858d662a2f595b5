"""A WebSocket that sends every message back: `esg examples.websocket_echo:app`.

The next message is asked for when the last one has been sent. A client that sends much and reads
nothing makes send() wait, so receive() is not called, so the server stops reading from the socket.
"""

from examples.asgi_types import Receive, Scope, Send


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Accept every WebSocket and echo it.

    Raises NotImplementedError for any scope type but `websocket`.
    """
    if scope["type"] != "websocket":
        raise NotImplementedError(f"this application does not speak {scope['type']}")
    await receive()  # websocket.connect
    await send({"type": "websocket.accept"})
    await echo(receive, send)


async def echo(receive: Receive, send: Send) -> None:
    """Send every message back as it came, text as text, until the WebSocket ends."""
    while (message := await receive())["type"] == "websocket.receive":
        text = message.get("text")
        content = {"bytes": message["bytes"]} if text is None else {"text": text}
        await send({"type": "websocket.send", **content})
