"""Call an application as a server of the test's own making would."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from esg.asgi import ASGIApp, Message, Receive, Scope, Send
from esg.testing import ASGIViolation, validate

START: Message = {"type": "http.response.start", "status": 200}
BODY: Message = {"type": "http.response.body", "body": b"x"}
MORE: Message = {**BODY, "more_body": True}
REQUEST: Message = {"type": "http.request"}
DISCONNECT: Message = {"type": "http.disconnect"}
RECEIVE: Message = {"type": "(receive)"}  # instead of a message to send: receive one


def http_scope(*extensions: str, **changes: Any) -> Scope:
    """Return a lawful HTTP scope."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/é",
        "raw_path": b"/%c3%a9",
        "query_string": b"a=1",
        "root_path": "",
        "headers": [(b"host", b"localhost"), (b"X-Two", b"1"), (b"X-Two", b"2")],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        "extensions": {name: {} for name in extensions},
        "state": {},
    }
    return scope | changes


def websocket_scope(*extensions: str, **changes: Any) -> Scope:
    """Return a lawful WebSocket scope."""
    scope = http_scope(*extensions, type="websocket", scheme="ws", subprotocols=["chat"])
    del scope["method"]
    scope.update(changes)
    return scope


def lifespan_scope(**changes: Any) -> Scope:
    """Return a lawful lifespan scope."""
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
    return scope | changes


def sending(*messages: Any) -> ASGIApp:
    """Return an application that sends messages, or receives one where RECEIVE stands."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            if message is RECEIVE:
                await receive()
            else:
                await send(message)

    return app


class Server:
    """Deliver messages to one call, and keep what it sends.

    Args:
        delivered: what receive() gives, one after the other; an exception is raised.
        lost_after: messages after which send() raises OSError.
    """

    def __init__(self, delivered: Iterable[Any] = (), lost_after: int | None = None) -> None:
        self._delivered = list(delivered)
        self._lost_after = lost_after
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        """Deliver the next message."""
        await anyio.lowlevel.checkpoint()
        message: Message = self._delivered.pop(0)
        return message

    async def send(self, message: Message) -> None:
        """Take a message."""
        await anyio.lowlevel.checkpoint()
        if self._lost_after is not None and len(self.sent) >= self._lost_after:
            raise BrokenPipeError("the client is gone")
        self.sent.append(message)

    def call(self, app: ASGIApp, scope: Scope) -> object:
        """Call the application to its end."""
        return anyio.run(app, scope, self.receive, self.send)


def call(
    app: ASGIApp, scope: Scope, delivered: Iterable[Any] = (), lost_after: int | None = None
) -> list[Message]:
    """Call an application and return what it has sent."""
    server = Server(delivered, lost_after)
    server.call(app, scope)
    return server.sent


def violation(
    app: ASGIApp,
    scope: Scope,
    delivered: Iterable[Any] = (),
    lost_after: int | None = None,
    **options: bool,
) -> ASGIViolation:
    """Return the violation that a validated application ends with."""
    validated = validate(app, **options)
    with pytest.raises(ASGIViolation) as raised:
        call(validated, scope, delivered, lost_after)
    assert validated.violations == [raised.value]
    return raised.value
