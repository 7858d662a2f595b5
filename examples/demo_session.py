"""One WebSocket of the demo and the ways to use it."""

from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from examples.asgi_types import Receive, Scope, Send
from examples.demo_exchange import route_path


@dataclass(frozen=True)
class Session:
    """A WebSocket, from its handshake to its end."""

    scope: Scope
    receive: Receive
    send: Send

    @property
    def route_path(self) -> str:
        """The path below the server's root_path."""
        return route_path(self.scope)

    @property
    def comes_from_elsewhere(self) -> bool:
        """Whether another site's page opens it: a browser lets every page try.

        The Origin that it sends must be this host; what is no browser sends none (RFC 6455
        section 10.2).
        """
        fields = dict(self.scope["headers"])
        origin = fields.get(b"origin")
        host: bytes = fields.get(b"host", b"")
        return origin is not None and urlsplit(origin.lower()).netloc != host.lower()

    async def accept(self) -> None:
        """Complete the handshake."""
        await self.receive()  # websocket.connect
        await self.send({"type": "websocket.accept"})

    async def refuse(self) -> None:
        """Answer the handshake with 403 (ASGI WebSocket, "Close")."""
        await self.receive()
        await self.send({"type": "websocket.close"})

    async def next_message(self) -> str | bytes | None:
        """Return the next message, or None once the WebSocket has ended."""
        message = await self.receive()
        if message["type"] == "websocket.disconnect":
            return None
        content: str | bytes | None = message.get("text")
        return message["bytes"] if content is None else content

    async def send_text(self, text: str) -> None:
        """Send a text message."""
        await self.send({"type": "websocket.send", "text": text})

    async def close(self, code: int, reason: str) -> None:
        """Close the WebSocket (RFC 6455 section 7.4), if the client has not gone by itself."""
        with suppress(OSError):  # send() says so then (ASGI WebSocket 2.4)
            await self.send({"type": "websocket.close", "code": code, "reason": reason})
