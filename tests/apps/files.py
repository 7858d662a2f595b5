"""An application that sends files: what the path of the request says, the file that the query names.

What comes of its send() it tells as lines on standard output: see `stage`.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

import anyio

from esg.asgi import Message, Receive, Scope, Send
from tests.apps.stage import Route, answer, content, gate, lifespan, start, tell


def _file(scope: Scope) -> str:
    return str(scope["query_string"].decode())


def _opened(scope: Scope) -> BinaryIO:
    return Path(_file(scope)).open("rb")


def by_path(file: str) -> Message:
    """Make a message that sends a whole file."""
    return {"type": "http.response.pathsend", "path": file}


async def whole(scope: Scope, _receive: Receive, send: Send) -> None:
    """Send a file by its path."""
    await send(start())
    await _telling(send, by_path(_file(scope)))


async def part(scope: Scope, _receive: Receive, send: Send) -> None:
    """Send an open file between two bodies; close it once send() has returned."""
    await send(start())
    await send(content(b"<", True))
    with _opened(scope) as file:
        await _telling(
            send, {"type": "http.response.zerocopysend", "file": file, "more_body": True}
        )
    await send(content(b">"))


async def _telling(send: Send, message: Message) -> None:
    try:
        await send(message)
    except BaseException as error:
        tell(f"files: {type(error).__name__}")
        raise
    tell("files: sent")


async def given_up(scope: Scope, _receive: Receive, send: Send) -> None:
    """Give up the send() of a file at the gate, closing it at once; then end the response."""
    await send(start())
    with _opened(scope) as file:
        async with anyio.create_task_group() as tasks:

            async def give_up() -> None:
                await gate()
                tasks.cancel_scope.cancel()

            tasks.start_soon(give_up)
            tell("files: waiting")
            await send({"type": "http.response.zerocopysend", "file": file, "more_body": True})
    tell("files: given up" if tasks.cancel_scope.cancelled_caught else "files: done")
    await send(content(b"tail"))


async def at_once(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer."""
    await answer(send, b"next")


ROUTES: dict[str, Route] = {"/whole": whole, "/part": part, "/given-up": given_up}


async def app(scope: Scope, receive: Receive, send: Send) -> object:
    """Serve the lifespan and the routes."""
    known: Route = ROUTES.get(scope["path"], at_once) if "path" in scope else lifespan
    return await known(scope, receive, send)


def without_sendfile() -> Route:
    """Return the application, in a process without os.sendfile: files are read."""
    del os.sendfile
    return app


def without_duplicates() -> Route:
    """Return the application, in a process that has no descriptor to spare for a socket."""
    duplicate = os.dup

    def refuse(descriptor: int) -> int:
        if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            raise OSError("no descriptor is left, says the test")
        return duplicate(descriptor)

    os.dup = refuse
    return app
