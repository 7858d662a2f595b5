"""The application that the cases are put to: it sends every message back as it came."""

from esg.asgi import Receive, Scope, Send


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Accept every WebSocket and echo it until it ends.

    Raises:
        NotImplementedError: the scope is of another type.
    """
    if scope["type"] != "websocket":
        raise NotImplementedError(scope["type"])
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text") is not None:
            await send({"type": "websocket.send", "text": message["text"]})
        else:
            await send({"type": "websocket.send", "bytes": message["bytes"]})
