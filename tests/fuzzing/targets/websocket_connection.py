"""A WebSocket of the fast driver: whole or cut, the same messages, and frames that a client can read.

The input begins with an opening handshake, lawful or not; what is behind it comes once it has been
answered, as from every client.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from esg.asgi import Receive, Scope, Send
from tests.conformance.websocket_opening import split_opening
from tests.conformance.wire import ResponseParser
from tests.fuzzing.fast_connection import MESSAGE_LIMIT, Call, FastConnection, FastServer
from tests.fuzzing.given import Given
from tests.rules.grammar import cut

SERVERS = [
    FastServer(ws_ping_interval=0.0),
    FastServer(ws_ping_interval=0.0, ws_per_message_deflate=False),
]
ACCEPT = {"type": "websocket.accept"}


async def _listen(receive: Receive) -> None:
    while (await receive())["type"] == "websocket.receive":
        pass


async def listen(receive: Receive, send: Send) -> None:
    """Accept, and receive to the end."""
    await receive()
    await send(ACCEPT)
    await _listen(receive)


async def echo(receive: Receive, send: Send) -> None:
    """Send each message back."""
    await receive()
    await send(ACCEPT)
    while (event := await receive())["type"] == "websocket.receive":
        await send({**event, "type": "websocket.send"})


async def say(receive: Receive, send: Send) -> None:
    """Say something, then listen."""
    await receive()
    await send(ACCEPT)
    await send({"type": "websocket.send", "text": "said" * 100})
    await send({"type": "websocket.send", "bytes": b"d"})
    await _listen(receive)


async def close(receive: Receive, send: Send) -> None:
    """Accept, and end it."""
    await receive()
    await send(ACCEPT)
    await send({"type": "websocket.close", "code": 4001, "reason": "réason"})
    await receive()


async def close_later(receive: Receive, send: Send) -> None:
    """End it behind the first message."""
    await receive()
    await send(ACCEPT)
    if (await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.close"})


async def fail(receive: Receive, send: Send) -> None:
    """Raise behind the first message."""
    await receive()
    await send(ACCEPT)
    await receive()
    raise ValueError


async def refuse(receive: Receive, send: Send) -> None:
    """Do not accept."""
    await receive()
    await send({"type": "websocket.close"})


async def deny(receive: Receive, send: Send) -> None:
    """Answer with a response."""
    await receive()
    kind = "websocket.http.response."
    await send({"type": kind + "start", "status": 401, "headers": [(b"x", b"y")]})
    await send({"type": kind + "body", "body": b"denied", "more_body": True})
    await send({"type": kind + "body", "body": b""})


BEHAVIOURS: Sequence[Callable[[Receive, Send], Awaitable[object]]] = (
    *(listen, echo, say, close, close_later, fail, refuse, deny),
)
# They end the session when a message comes.
ENDING = (close_later, fail)


def check(given: Given) -> None:
    """Play a WebSocket twice: whole, and cut."""
    host, behaviour = given.one_of(SERVERS), given.one_of(BEHAVIOURS)
    opening, frames = split_opening(given.stream)
    whole = _played(host, behaviour, [opening], [frames])
    in_pieces = cut(opening, given.places), cut(frames, given.places)
    pieces = _played(host, behaviour, *in_pieces)
    if behaviour in ENDING:  # pings behind the message may come before its end, or too late
        assert pieces[1:] == whole[1:] or _has_two_faults(host, whole[2])
    else:
        assert pieces == whole or _has_two_faults(host, whole[2])
    written, _, calls = whole
    parser = ResponseParser([])
    parser.feed(written)
    parser.feed_eof()
    assert parser.error is None, parser.error
    assert not parser.leftover
    for scope, events in calls:
        if scope["type"] == "websocket":
            _check_events(events)


def _played(
    host: FastServer,
    behaviour: Callable[[Receive, Send], Awaitable[object]],
    *parts: list[bytes],
) -> tuple[bytes, str, list[tuple[Any, ...]]]:
    """Return what was written, how the connection ended, what the application has seen."""

    async def app(seen: Call, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await behaviour(receive, send)

    connection = FastConnection(host, app)
    with connection.playing() as transport:
        for part in parts:
            for piece in part:
                transport.receive(piece)
            host.loop.run()
        transport.receive_eof()
        host.loop.run()
        transport.lose()
    calls = [(call.scope, call.events) for call in connection.calls]
    return bytes(transport.written), transport.end, calls


def _has_two_faults(host: FastServer, calls: list[tuple[Any, ...]]) -> bool:
    """Tell whether a message may be too large and then not deflated: which is seen first is zlib's matter."""
    ends = [event for _, events in calls for event in events if not isinstance(event, str)]
    return host is SERVERS[0] and bool(ends) and ends[-1].get("code") == 1007


def _check_events(events: list[Any]) -> None:
    """See that an application gets what the specification promises, in its order."""
    messages = [event for event in events if not isinstance(event, str)]
    assert messages[0] == {"type": "websocket.connect"}
    kinds = [message["type"] for message in messages[1:]]
    assert "websocket.disconnect" not in kinds[:-1]
    for message in messages[1:]:
        if message["type"] == "websocket.receive":
            text, data = message.get("text"), message.get("bytes")
            assert (text is None) != (data is None)
            assert len(data if data is not None else text.encode()) <= MESSAGE_LIMIT
        else:
            assert 1000 <= message["code"] <= 4999
