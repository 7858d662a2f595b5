"""A connection of the fast driver: whole or cut, the same answers, and those that are due.

What is due, `tests.differential.walk` says by the interpreted rules. Applications do what a part of
the input says; one of them sends the response that the request's content describes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from esg.asgi import Receive, Scope, Send
from esg.rules.request_head import HeadLimits
from tests.conformance.wire import Framing, ResponseParser
from tests.differential.reading import BOUNDS
from tests.differential.walk import Walk, walk
from tests.fuzzing.fast_connection import Call, FastConnection, FastServer
from tests.fuzzing.given import Given
from tests.fuzzing.targets.response_head import Message

LIMITS = HeadLimits(*BOUNDS)
SERVER = FastServer(ws="none")
Behaviour = Callable[[Receive, Send], Awaitable[object]]


async def _content(receive: Receive) -> bytes | None:
    """Receive all content, None where the client left within it."""
    content = bytearray()
    while (event := await receive())["type"] == "http.request":
        content += event["body"]
        if not event["more_body"]:
            return bytes(content)
    return None


def _start(*headers: tuple[bytes, bytes], status: int = 200) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def _body(data: bytes, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}


async def echo(receive: Receive, send: Send) -> None:
    """Answer with the content."""
    content = await _content(receive)
    if content is not None:
        await send(_start((b"content-length", b"%d" % len(content))))
        await send(_body(content))


async def read_and_pieces(receive: Receive, send: Send) -> None:
    """Answer in pieces, chunked where that is possible."""
    content = await _content(receive)
    if content is not None:
        await send(_start((b"x", b"y")))
        for piece in (content, b"", b"end"):
            await send(_body(piece, True))
        await send(_body(b""))


async def read_within(receive: Receive, send: Send) -> None:
    """Begin to answer before reading."""
    await send(_start((b"content-length", b"10")))
    await send(_body(b"a" * 5, True))
    if await _content(receive) is not None:
        await send(_body(b"a" * 5))


async def hello(receive: Receive, send: Send) -> None:
    """Answer without reading."""
    await send(_start((b"content-length", b"5"), (b"content-type", b"text/plain")))
    await send(_body(b"hello"))


async def obey(receive: Receive, send: Send) -> None:
    """Answer as the content says."""
    content = await _content(receive)
    if content is None:
        return
    message = Message(content)
    status = 200 + len(message.links) % 400
    await send({"type": "http.response.early_hint", "links": message.links})
    headers = message.fields
    await send({**_start(*headers, status=status), "trailers": bool(message.trailers)})
    for piece in message.content[:-1]:
        await send(_body(piece, True))
    await send(_body(message.content[-1]))
    if message.trailers:
        await send({"type": "http.response.trailers", "headers": message.trailers})


async def silent(receive: Receive, send: Send) -> None:
    """Read, and answer nothing."""
    await _content(receive)


async def fail(receive: Receive, send: Send) -> None:
    """Read, begin to answer, and raise."""
    if await _content(receive) is not None:
        await send(_start())
        await send(_body(b"begun", True))
    raise ValueError


BEHAVIOURS: Sequence[Behaviour] = (
    *(echo, obey, hello, read_and_pieces, read_within, silent, fail),
)
# Those that read all content, then send a complete answer, and its status.
READERS = {echo: 200, read_and_pieces: 200}


def check(given: Given) -> None:
    """Play a connection twice: whole, and cut."""
    behaviours = [given.one_of(BEHAVIOURS) for _ in range(2)]
    whole = _played(behaviours, [given.stream])
    assert _played(behaviours, given.pieces) == whole
    answered, ended, _ = whole
    _check_answers(answered, behaviours, walk(given.stream, LIMITS))
    assert ended


def _played(behaviours: Sequence[Behaviour], pieces: list[bytes]) -> tuple[Any, ...]:
    """Return what was answered, how the connection ended, what the application has seen."""

    async def app(seen: Call, scope: Scope, receive: Receive, send: Send) -> None:
        first = len(connection.calls) == 1
        await behaviours[0 if first else 1](receive, send)

    connection = FastConnection(SERVER, app)
    with connection.playing() as transport:
        for piece in pieces:
            transport.receive(piece)
            SERVER.loop.run()
        transport.receive_eof()
        SERVER.loop.run()
        if not transport.is_closing():  # it lingers, or waits for no one
            transport.lose()
    calls = [(call.scope, told(call)) for call in connection.calls]
    return bytes(transport.written), transport.end, calls


def told(call: Call) -> list[Any]:
    """Return what an application is sure to see: how far it got within content is the cuts' matter."""
    return [event for event in call.events if not (isinstance(event, list) and event[1])]


def _check_answers(data: bytes, behaviours: Sequence[Behaviour], due: Walk) -> None:
    """Read the answers as a client does, and see that they are those that are due."""
    parser = ResponseParser([head.method for head in due.heads])
    parser.feed(data)
    parser.feed_eof()
    assert parser.error is None, parser.error
    last = parser.responses[-1] if parser.responses else None
    if last is None or last.complete or last.framing is not Framing.CHUNKED:
        assert not parser.leftover
    assert all(response.complete for response in parser.responses[:-1])
    if set(behaviours) <= READERS.keys():
        statuses = [200] * (len(due.heads) - due.in_content)
        assert [r.status for r in parser.responses] == statuses + [due.rejected] * bool(
            due.rejected
        )
        assert all(response.complete for response in parser.responses)
