"""An application with a route for every behaviour that a test asks for.

What it does and sees, it tells as lines `# ...` on standard output; a test waits for those
instead of guessing at times. Where it must wait for the test, it waits at `gate()`.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import json
import os
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

import anyio
from anyio.lowlevel import checkpoint

from esg.asgi import Message, Receive, Scope, Send

Route = Callable[[Scope, Receive, Send], Awaitable[object]]
CHUNK = b"x" * 65536

_mark: contextvars.ContextVar[str] = contextvars.ContextVar("mark", default="unset")


def tell(what: str) -> None:
    """Tell the test what happened."""
    sys.stdout.write(f"# {what}\n")
    sys.stdout.flush()


async def gate() -> None:
    """Wait until the test opens the gate: a byte on standard input."""
    await anyio.wait_readable(sys.stdin)
    os.read(sys.stdin.fileno(), 1)


def start(status: int = 200, *headers: tuple[bytes, bytes]) -> Message:
    """Make a response's start."""
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def content(body: bytes = b"", more_body: bool = False) -> Message:
    """Make a piece of a response's content."""
    return {"type": "http.response.body", "body": body, "more_body": more_body}


async def answer(send: Send, body: bytes, kind: bytes = b"text/plain") -> None:
    """Send a whole response."""
    length = (b"content-length", b"%d" % len(body))
    await send(start(200, (b"content-type", kind), length))
    await send(content(body))


async def hello(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Greet."""
    await answer(send, b"hello")


async def show_scope(scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer with the scope."""
    shown = {key: repr(value) for key, value in scope.items()}
    await answer(send, json.dumps(shown).encode(), b"application/json")


async def echo(_scope: Scope, receive: Receive, send: Send) -> None:
    """Send the content back as it comes."""
    await send(start())
    more = True
    while more:
        event = await receive()
        more = event.get("more_body", False)
        await send(content(event.get("body", b""), more))


async def count(_scope: Scope, receive: Receive, send: Send) -> None:
    """Count the content; with a task switch at each piece, so as not to be the fastest reader."""
    size, more = 0, True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            tell("content: disconnect")
            return
        if not size:
            tell("content: begun")
        size += len(event["body"])
        more = event["more_body"]
        await checkpoint()
    await answer(send, b"%d" % size)
    tell("content: answered")


async def big(scope: Scope, _receive: Receive, send: Send) -> None:
    """Send as many bytes as the query says."""
    left = int(scope["query_string"])
    await send(start(200, (b"content-length", b"%d" % left)))
    try:
        while left > 0:
            piece = CHUNK[: min(left, len(CHUNK))]
            left -= len(piece)
            await send(content(piece, left > 0))
        tell("big: sent")
    except OSError as error:
        tell(f"big: {type(error).__name__}")
        raise


async def early(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Wait at the gate, then answer without a look at the content."""
    tell("early: waiting")
    await gate()
    await answer(send, b"early")


async def stream(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Send without an end."""
    told = False
    await send(start())
    try:
        while True:
            await send(content(b"tick\n", True))
            if not told:
                tell("stream: begun")
                told = True
            await anyio.sleep(0.02)
    except BaseException as error:
        tell(f"stream: {type(error).__name__}")
        raise


async def listen(_scope: Scope, receive: Receive, send: Send) -> None:
    """Send a first piece, then wait for the client's end."""
    await send(start())
    await send(content(b"first", True))
    tell("listen: begun")
    while (event := await receive())["type"] != "http.disconnect":
        pass
    tell(f"listen: {event['type']}")


async def stall(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Wait for ever."""
    tell("stall: waiting")
    try:
        await anyio.sleep_forever()
    except BaseException as error:
        tell(f"stall: {type(error).__name__}")
        raise


async def background(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer, then work until the gate opens."""
    await answer(send, b"answered")
    try:
        tell("background: waiting")
        await gate()
        tell("background: done")
    except BaseException as error:
        tell(f"background: {type(error).__name__}")
        raise


async def contexts(scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer with a context variable, then change it."""
    before = _mark.get()
    _mark.set(scope["query_string"].decode())
    await answer(send, before.encode())


async def objects(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Count the server's own objects that are alive, by type."""
    gc.collect()
    kinds = (type(found) for found in gc.get_objects())
    names = (f"{kind.__module__}.{kind.__name__}" for kind in kinds)
    alive = Counter(name for name in names if name.startswith("esg."))
    await answer(send, json.dumps(alive).encode(), b"application/json")


async def ill(scope: Scope, _receive: Receive, send: Send) -> object:
    """Behave badly, as the query says."""
    query = parse_qs(scope["query_string"].decode())
    when, what = query.get("when", ["before"])[0], query["what"][0]
    if when != "before":
        await send(start())
        await send(content(b"some", when != "after"))
    if what == "return":
        return "a value"
    if what == "cancel":
        await _cancel_itself()
    raise _ERRORS[what]("on purpose")


async def _cancel_itself() -> None:
    """Cancel the running task, as far as the loop lets an application do so."""
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    await asyncio.sleep(30)


async def timeouts(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Run into a timeout of its own, then answer."""
    with anyio.move_on_after(0.01) as scope:
        await anyio.sleep(30)
    seen = ["anyio"] if scope.cancelled_caught else []
    try:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(30)
    except TimeoutError:
        seen.append("asyncio")
    await answer(send, " ".join(seen).encode())


_ERRORS: dict[str, type[BaseException]] = {
    "KeyboardInterrupt": KeyboardInterrupt,
    "SystemExit": SystemExit,
    "CancelledError": asyncio.CancelledError,
    "ValueError": ValueError,
    "OSError": OSError,
}
ROUTES: dict[str, Route] = {
    "/": hello,
    "/background": background,
    "/big": big,
    "/contexts": contexts,
    "/count": count,
    "/early": early,
    "/echo": echo,
    "/ill": ill,
    "/listen": listen,
    "/objects": objects,
    "/scope": show_scope,
    "/stall": stall,
    "/stream": stream,
    "/timeouts": timeouts,
}


async def lifespan(scope: Scope, receive: Receive, send: Send) -> None:
    """Start and stop, telling both; STAGE_LIFESPAN=hang hangs at the end."""
    scope["state"]["started"] = True
    assert (await receive())["type"] == "lifespan.startup"
    tell("lifespan: startup")
    await send({"type": "lifespan.startup.complete"})
    assert (await receive())["type"] == "lifespan.shutdown"
    tell("lifespan: shutdown")
    if os.environ.get("STAGE_LIFESPAN") == "hang":
        await anyio.sleep_forever()
    await send({"type": "lifespan.shutdown.complete"})


async def app(scope: Scope, receive: Receive, send: Send) -> object:
    """Serve the lifespan and the routes."""
    known: Route = ROUTES.get(scope["path"], show_scope) if "path" in scope else lifespan
    return await known(scope, receive, send)


def make_app() -> Route:
    """Return the application, for --factory."""
    return app
