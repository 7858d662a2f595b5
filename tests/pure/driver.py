"""The pure driver in the test's own process and loop: times are said, not waited for."""

from __future__ import annotations

import asyncio
import contextvars
import importlib
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio.abc import SocketStream
from anyio.lowlevel import checkpoint

from esg.asgi import ASGIApp, Message, Receive, Scope, Send
from esg.config import Config
from esg.implementation import running_loop
from esg.pure.server import PureServer
from esg.service import Service

BOUND = 60.0  # seconds, for whatever should take none
HEAD_END = b"\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
Body = Callable[[Scope, Receive, Send], Awaitable[object]]


def start(status: int = 200, *headers: tuple[bytes, bytes]) -> Message:
    """Make a response's start."""
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def content(body: bytes = b"", more_body: bool = False) -> Message:
    """Make a piece of content."""
    return {"type": "http.response.body", "body": body, "more_body": more_body}


async def answer(send: Send, body: bytes = b"hello") -> None:
    """Send a whole response with a length."""
    await send(start(200, (b"content-length", b"%d" % len(body))))
    await send(content(body))


async def hello(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Greet."""
    await answer(send)


def current_task() -> object:
    """Return the running task itself: its id may be another one's later."""
    if running_loop() == "trio":
        return importlib.import_module("trio").lowlevel.current_task()
    return asyncio.current_task()


class Driven:
    """A running driver and a way to connect to it."""

    def __init__(self, server: PureServer, port: int) -> None:
        self.server = server
        self.port = port

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """Connect."""
        stream = await anyio.connect_tcp("127.0.0.1", self.port)
        try:
            yield Client(stream)
        finally:
            await stream.aclose()

    async def sweep(self, seconds: float) -> None:
        """Tell all connections, once they wait, that so many seconds have passed."""
        await anyio.wait_all_tasks_blocked()
        now = time.monotonic() + seconds
        for connection in tuple(self.server.connections):
            connection.sweep(now)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let the driver run until something is so."""
        while not condition():
            await checkpoint()
            await anyio.wait_all_tasks_blocked()

    async def emptied(self) -> None:
        """Wait until there is no connection any more."""
        await self.until(lambda: not self.server.connections)


class Client:
    """One end of a connection, whose other one the driver has."""

    def __init__(self, stream: SocketStream) -> None:
        self.stream = stream
        self._unread = b""

    async def send(self, data: bytes) -> None:
        """Send bytes."""
        await self.stream.send(data)

    async def until(self, end: bytes) -> bytes:
        """Read up to and with `end`."""
        while end not in self._unread:
            self._unread += await self.stream.receive()
        found, _, self._unread = self._unread.partition(end)
        return found + end

    def take(self) -> bytes:
        """Return what has been read and not yet been looked at."""
        taken, self._unread = self._unread, b""
        return taken

    async def response(self) -> tuple[int, bytes]:
        """Read a response that has a Content-Length; return status and content."""
        head = await self.until(HEAD_END)
        fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:-2])
        length = int(fields[b"content-length"])
        found = bytearray(self.take())
        while len(found) < length:
            found += await self.stream.receive()
        self._unread = bytes(found[length:])
        return int(head.split()[1]), bytes(found[:length])

    async def rest(self) -> bytes:
        """Read to the end of the stream."""
        found = self.take()
        try:
            while True:
                found += await self.stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            return found

    async def at_end(self) -> bool:
        """Wait for the end of the stream; False if there is something else."""
        if self._unread:
            return False
        try:
            return not await self.stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            return True


def service_for(app: ASGIApp, listeners: list[socket.socket], **settings: Any) -> Service:
    """Make what the server would give the driver."""
    return Service(
        app=app,
        config=Config(app, **settings),
        listeners=listeners,
        state={},
        context=contextvars.copy_context(),
        server_info={},
        on_serving=lambda: None,
    )


@asynccontextmanager
async def driving(app: ASGIApp, **settings: Any) -> AsyncIterator[Driven]:
    """Serve an application while the block runs, then stop gracefully."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    with anyio.fail_after(BOUND):
        async with anyio.create_task_group() as tasks:
            service = service_for(app, [listener], **settings)
            server = PureServer(service)
            tasks.start_soon(server.run)
            yield Driven(server, listener.getsockname()[1])
            service.stop.set()
