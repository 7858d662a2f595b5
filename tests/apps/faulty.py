"""An application that harms its own process, one way or another; it tells as `stage` does."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from urllib.parse import parse_qs

import anyio

from esg.asgi import Message, Receive, Scope, Send
from tests.apps import sockets
from tests.apps.stage import _ERRORS, answer, gate, start, tell

Route = Callable[[Scope, Receive, Send], Awaitable[object]]

# The send() of a request that waits, for another one to call.
_shared: list[Send] = []
_heard = threading.Event()
_now = time.time


async def block(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Hold up the event loop until the gate opens."""
    tell("block: begun")
    os.set_blocking(sys.stdin.fileno(), True)
    os.read(sys.stdin.fileno(), 1)
    await answer(send, b"blocked")


async def fork(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Leave a child behind that has a copy of everything, and does nothing until it is ended."""
    child = os.fork()
    if not child:
        while True:
            signal.pause()
    await answer(send, b"%d" % child)


async def inheritable(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer with the descriptors, but the standard ones, that another program would inherit."""
    numbers = [n for n in range(3, 256) if _is_open(n) and os.get_inheritable(n)]
    await answer(send, repr(numbers).encode())


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


async def close_own_socket(scope: Scope, _receive: Receive, send: Send) -> None:
    """Close the descriptor of the connection that the request came on."""
    peer = tuple(scope["client"])
    for number in range(3, 256):
        if _peer_of(number) == peer:
            os.close(number)
    await answer(send, b"to whom?")


def _peer_of(number: int) -> object:
    try:
        if not stat.S_ISSOCK(os.fstat(number).st_mode):
            return None
        with socket.socket(fileno=os.dup(number)) as found:
            return found.getpeername()
    except OSError:
        return None


async def close_all(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Close every descriptor but the standard ones: the event loop's, too."""
    tell("close-all: begun")
    os.closerange(3, 256)


async def _error_in_a_thread(call: Awaitable[object]) -> str:
    """Await in a thread with an event loop of its own, and return the error's name."""

    async def awaited() -> None:
        await call

    def run() -> str:
        try:
            asyncio.run(awaited())
        except RuntimeError as error:
            return type(error).__name__
        return "none"

    return await anyio.to_thread.run_sync(run)


async def thread(_scope: Scope, receive: Receive, send: Send) -> None:
    """Try to answer and to receive from threads, then answer with the errors."""
    errors = [await _error_in_a_thread(call) for call in (send(start()), receive())]
    await answer(send, " ".join(errors).encode())


async def socket_in_a_thread(_scope: Scope, receive: Receive, send: Send) -> None:
    """Try the same with a WebSocket; send the errors."""
    await sockets.accept(receive, send)
    message = {"type": "websocket.send", "text": "from a thread"}
    errors = [await _error_in_a_thread(call) for call in (send(message), receive())]
    await send({"type": "websocket.send", "text": " ".join(errors)})


async def lend(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Let another request answer this one."""
    _shared.append(send)
    tell("lend: waiting")
    await gate()


async def borrow(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer the request that waits, then this one."""
    await answer(_shared.pop(), b"for the lender")
    await answer(send, b"for the borrower")


async def quote(scope: Scope, _receive: Receive, _send: Send) -> None:
    """Fail with what the client has sent."""
    raise ValueError(scope["path"] + scope["query_string"].decode("latin-1"))


async def clock(scope: Scope, _receive: Receive, send: Send) -> None:
    """Set the clock of the process forward by as many seconds as the query says, or back."""
    seconds = float(scope["query_string"])
    time.time = lambda: _now() + seconds
    await answer(send, b"set")


class Unprintable(Exception):
    """Be an error that cannot even be shown."""

    def __str__(self) -> str:
        """Fail."""
        raise RuntimeError("no text")

    __repr__ = __str__


async def unprintable(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Fail with what cannot be shown, each the other's cause."""
    one, two = Unprintable(), Unprintable()
    one.__cause__, two.__cause__ = two, one
    raise one


async def cancels_itself(scope: Scope, receive: Receive, send: Send) -> None:
    """Cancel its own task and return, without having answered or afterwards."""
    if scope["query_string"] == b"after":
        await (answer(send, b"done") if scope["type"] == "http" else sockets.accept(receive, send))
    task = asyncio.current_task()
    assert task is not None
    task.cancel()


async def hear(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Have those end that are deaf."""
    _heard.set()
    await answer(send, b"heard")


async def deaf(scope: Scope, receive: Receive, send: Send) -> None:
    """Go on calling, whatever it is told, until somebody calls `hear`."""
    _heard.clear()
    how = scope["query_string"]
    if scope["type"] == "websocket":
        await sockets.accept(receive, send)
        message: Message = {"type": "websocket.send", "text": "?"}
    else:
        message = {"type": "http.response.body", "body": b"?", "more_body": True}
        if how == b"send-late":
            await answer(send, b"done")
        elif how == b"send":
            await send(start())
    tell("deaf: begun")
    while not _heard.is_set():
        with suppress(OSError, ValueError):
            await (receive() if how == b"receive" else send(message if how[:4] == b"send" else {}))


async def sockets_that_fail(scope: Scope, receive: Receive, send: Send) -> None:
    """Raise in a WebSocket, as the query says."""
    query = parse_qs(scope["query_string"].decode())
    if query["when"] == ["open"]:
        await sockets.accept(receive, send)
    if query["what"] == ["cancel"]:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(30)
    raise _ERRORS[query["what"][0]]("on purpose")


ROUTES: dict[tuple[str, str], Route] = {
    ("http", "/block"): block,
    ("http", "/borrow"): borrow,
    ("http", "/cancel-itself"): cancels_itself,
    ("http", "/clock"): clock,
    ("http", "/close-all"): close_all,
    ("http", "/close-own-socket"): close_own_socket,
    ("http", "/deaf"): deaf,
    ("http", "/fork"): fork,
    ("http", "/hear"): hear,
    ("http", "/lend"): lend,
    ("http", "/quote"): quote,
    ("http", "/inheritable"): inheritable,
    ("http", "/thread"): thread,
    ("http", "/unprintable"): unprintable,
    ("websocket", "/cancel-itself"): cancels_itself,
    ("websocket", "/deaf"): deaf,
    ("websocket", "/ill"): sockets_that_fail,
    ("websocket", "/thread"): socket_in_a_thread,
}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve the route; what is none of these is `sockets`'."""
    path = scope.get("path", "")
    kind = "/quote" if path.startswith("/quote/") else path
    await ROUTES.get((scope["type"], kind), sockets.app)(scope, receive, send)
