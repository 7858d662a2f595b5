"""A connection of the fast driver to which anything happens at any time: it always ends, and leaves nothing.

Segments, a client that does not read, sweeps whose timers have all run out, FIN, reset, the server's
stop and its end, in the order that the input says; under an application that waits in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from esg.asgi import Receive, Scope, Send
from tests.fuzzing.fast_connection import Call, FastConnection, FastServer
from tests.fuzzing.given import Given
from tests.fuzzing.scripted import ScriptedTransport

# Every timer has run out by the time of the next sweep.
_AT_ONCE = 1e-9
PATIENT: dict[str, Any] = {}
IMPATIENT: dict[str, Any] = {
    "timeout_keep_alive": _AT_ONCE,
    "timeout_headers": _AT_ONCE,
    "timeout_body": _AT_ONCE,
    "timeout_write": _AT_ONCE,
    "ws_accept_timeout": _AT_ONCE,
    "ws_close_timeout": _AT_ONCE,
    "ws_ping_interval": _AT_ONCE,
    "ws_ping_timeout": _AT_ONCE,
    "timeout_request": _AT_ONCE,
}
SERVERS = {"patient": FastServer(), "impatient": FastServer(**IMPATIENT)}
# A decision has 24 bits, an operation takes three of them.
OPERATIONS = 7
Step = Callable[["Play"], None]


class Play:
    """A connection, and what can happen to it."""

    def __init__(self, host: FastServer, transport: ScriptedTransport, stream: bytes) -> None:
        self.host = host
        self.transport = transport
        self.stopped = False
        self._unsent = stream

    def send_line(self) -> None:
        """Send up to the end of a line."""
        end = self._unsent.find(b"\n") + 1
        self._send(end or len(self._unsent))

    def send_half(self) -> None:
        """Send half of what is left."""
        self._send((len(self._unsent) + 1) // 2)

    def _send(self, size: int) -> None:
        if size:
            self.transport.receive(self._unsent[:size])
            self._unsent = self._unsent[size:]
            self.host.loop.run()

    def fill(self) -> None:
        """Have the client read no more, or again."""
        if self.transport.full:
            self.transport.take()
        else:
            self.transport.full = True

    def sweep(self) -> None:
        """Have time go by."""
        self.host.sweep()

    def leave(self) -> None:
        """Send FIN."""
        self.transport.receive_eof()

    def reset(self) -> None:
        """Send RST."""
        self.transport.lose()

    def stop(self) -> None:
        """Have the server stop; the second time, at once."""
        if self.stopped:
            self.host.end()
        else:
            self.stopped = True
            self.host.stop()


STEPS: tuple[Step, ...] = (
    *(Play.send_line, Play.send_half, Play.fill, Play.sweep, Play.leave, Play.reset, Play.stop),
    lambda play: None,
)


async def _application(seen: Call, scope: Scope, receive: Receive, send: Send) -> None:
    """Wait before each step, so that anything may happen meanwhile."""
    websocket = scope["type"] == "websocket"
    await asyncio.sleep(0)
    event = await receive()
    if websocket:
        await send({"type": "websocket.accept"})
        while (event := await receive())["type"] == "websocket.receive":
            await asyncio.sleep(0)
            await send({"type": "websocket.send", "text": "x" * 200})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await asyncio.sleep(0)
    for piece in (b"one", b"t" * 70_000, b"three"):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    while event.get("more_body"):
        event = await receive()
    await send({"type": "http.response.body", "body": b""})
    if scope["query_string"]:
        await receive()


def check(given: Given) -> None:
    """Play a connection to its end."""
    name = given.one_of(list(SERVERS))
    steps = [given.one_of(STEPS) for _ in range(OPERATIONS)]
    host = SERVERS[name]
    connection = FastConnection(host, _application)
    play = Play(host, connection.transport, given.stream)
    with connection.playing() as transport:
        for step in steps:
            step(play)
            host.loop.run()
        play.send_half()
        transport.lose()
        host.loop.run()
        transport.take()
        host.end()
    if play.stopped:  # it serves nobody any more
        SERVERS[name] = FastServer(**(PATIENT if name == "patient" else IMPATIENT))
    for call in connection.calls:
        assert call.events.count("WrongThread") == 0
