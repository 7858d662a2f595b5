"""One request of the demo and the ways to answer it."""

import json
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from examples.asgi_types import Receive, Scope, Send

Header = tuple[bytes, bytes]

POLICY = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

SECURITY: tuple[Header, ...] = (
    (b"content-security-policy", POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
"""Sent with every answer: nothing from elsewhere, no inline script or style."""


@dataclass
class Tally:
    """What one process has served since its start."""

    requests: int = 0
    open_responses: int = 0
    """Streams and event streams being sent at this moment."""
    started_at: float = field(default_factory=time.monotonic)

    @property
    def uptime(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started_at


@dataclass(frozen=True)
class Exchange:
    """A request and the channel for its response."""

    scope: Scope
    receive: Receive
    send: Send
    tally: Tally

    @property
    def route_path(self) -> str:
        """The path below the server's root_path."""
        return route_path(self.scope)

    async def respond(self, status: int, body: bytes, headers: Iterable[Header] = ()) -> None:
        """Send a whole response; to HEAD, its head alone (RFC 9110 section 9.3.2)."""
        fields = [(b"content-length", b"%d" % len(body)), *headers]
        await self.start(status, fields)
        sent = b"" if self.scope["method"] == "HEAD" else body
        await self.send({"type": "http.response.body", "body": sent})

    async def respond_text(self, status: int, text: str, headers: Iterable[Header] = ()) -> None:
        """Send a short plain text, not to be cached."""
        fields = [(b"content-type", b"text/plain; charset=utf-8"), NOT_CACHED, *headers]
        await self.respond(status, text.encode(), fields)

    async def respond_json(self, content: dict[str, Any]) -> None:
        """Send a JSON object, not to be cached."""
        headers = [(b"content-type", b"application/json"), NOT_CACHED]
        await self.respond(200, json.dumps(content).encode(), headers)

    async def start(self, status: int, headers: Iterable[Header]) -> None:
        """Send the response head."""
        fields = [*headers, *SECURITY]
        await self.send({"type": "http.response.start", "status": status, "headers": fields})

    async def send_chunk(self, chunk: bytes) -> None:
        """Send a piece of the response body, with more to come."""
        await self.send({"type": "http.response.body", "body": chunk, "more_body": True})


def route_path(scope: Scope) -> str:
    """Return the path below the server's root_path, which `path` includes (ASGI HTTP 2.5)."""
    path: str = scope["path"]
    root_path: str = scope.get("root_path", "")
    below = path.removeprefix(root_path)
    return below if below.startswith("/") else path


NOT_CACHED: Header = (b"cache-control", b"no-store")

Endpoint = Callable[[Exchange], Awaitable[None]]
