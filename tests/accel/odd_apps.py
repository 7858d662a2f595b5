"""Applications for what the fast driver's first step and its own buffers make special."""

from __future__ import annotations

import os
import socket
import sys
import time
from typing import NoReturn

import anyio

from esg.asgi import Receive, Scope, Send
from tests.apps.stage import Route, answer, content, start, tell

# As many as asyncio's transport says nothing about, and more.
MESSAGES = 20


def _block(what: str) -> None:
    """Hold up the whole loop until the gate opens."""
    tell(what)
    os.read(sys.stdin.fileno(), 1)


def raises_when_called(_scope: Scope, _receive: Receive, _send: Send) -> NoReturn:
    """Be an application of which not even a coroutine is to be had."""
    raise RuntimeError("there is none")


async def at_once(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer without a look at the content."""
    await answer(send, b"at once")


async def answer_and_block(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Block the loop once the response is complete."""
    await answer(send, b"before")
    _block("answered")


async def block_and_measure(_scope: Scope, receive: Receive, send: Send) -> None:
    """Block the loop longer than a timeout of 1 s, then answer."""
    _block("blocking")
    time.sleep(1.4)  # noqa: ASYNC251 - to block is its purpose
    await answer(send, b"blocked")


async def measure(_scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the content's size."""
    size, more = 0, True
    tell("measuring")
    while more:
        event = await receive()
        size += len(event["body"])
        more = event["more_body"]
    await answer(send, b"%d" % size)


async def to_nobody(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Send many messages in one step to a client that is gone by then."""
    await send(start())
    await send(content(b"first", True))
    _block("sent the first")
    try:
        for _ in range(MESSAGES):
            await send(content(b"another", True))
    finally:
        tell("sent all")


async def patient(_scope: Scope, receive: Receive, send: Send) -> None:
    """Wait a bounded time for the client to leave; answer with the CPU time that it took."""
    await receive()
    began = time.process_time()
    with anyio.move_on_after(0.5):
        await receive()
    await answer(send, b"%f" % (time.process_time() - began))


async def nothing(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Return without a response."""
    tell("nothing")


async def set_default_timeout(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Set the timeout of sockets that are made from now on, as many programs do."""
    socket.setdefaulttimeout(3600)
    await answer(send, b"set")


async def large_fields(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer with fields of half a MiB."""
    await send(start(200, *[(b"x-large", b"x" * 2**15)] * 16))
    await send(content())


ROUTES: dict[str, Route] = {
    "/answer-and-block": answer_and_block,
    "/at-once": at_once,
    "/block": block_and_measure,
    "/large-fields": large_fields,
    "/measure": measure,
    "/set-default-timeout": set_default_timeout,
    "/nothing": nothing,
    "/patient": patient,
    "/to-nobody": to_nobody,
}


async def app(scope: Scope, receive: Receive, send: Send) -> object:
    """Serve the routes."""
    return await ROUTES[scope["path"]](scope, receive, send)
