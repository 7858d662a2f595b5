"""Applications that the servers are measured with: raw ASGI, nothing between them and the server.

Every application answers the lifespan messages, so that no server takes a slower path for an
application without lifespan.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

HELLO = b"Hello, World!"
LARGE = bytes(range(256)) * 4096
CHUNK = b"x" * 1024
CHUNK_COUNT = 100

HELLO_HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(HELLO))]
LARGE_HEADERS = [
    (b"content-type", b"application/octet-stream"),
    (b"content-length", b"%d" % len(LARGE)),
]
FILES = {"file_1mib": 1, "file_100mib": 100}  # how often they have LARGE in them
FILES_FOLDER = Path(__file__).resolve().parent / ".build"
PUBLISHED = b"published"
PUBLISHED_HEADERS = [(b"content-length", b"%d" % len(PUBLISHED))]
EVENT = b"data: " + b"x" * 32 + b"\n\n"
EVENT_HEADERS = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
STREAM_HEADERS = [(b"content-type", b"application/octet-stream")]


async def answer_lifespan(receive: Receive, send: Send) -> None:
    """Answer the two lifespan messages (ASGI lifespan 2.0)."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        else:
            await send({"type": "lifespan.shutdown.complete"})
            return


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 13 bytes."""
    if scope["type"] == "lifespan":
        await answer_lifespan(receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": HELLO_HEADERS})
    await send({"type": "http.response.body", "body": HELLO})


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the whole request body, then answer it with its Content-Length."""
    if scope["type"] == "lifespan":
        await answer_lifespan(receive, send)
        return
    parts: list[bytes] = []
    more_body = True
    while more_body:
        message = await receive()
        parts.append(message.get("body", b""))
        more_body = message.get("more_body", False)
    body = b"".join(parts)  # One part of type bytes is not copied.
    headers = [
        (b"content-type", b"application/octet-stream"),
        (b"content-length", b"%d" % len(body)),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def large(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 1 MiB in one message."""
    if scope["type"] == "lifespan":
        await answer_lifespan(receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": LARGE_HEADERS})
    await send({"type": "http.response.body", "body": LARGE})


async def stream(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 100 messages of 1 KiB without a Content-Length."""
    if scope["type"] == "lifespan":
        await answer_lifespan(receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": STREAM_HEADERS})
    for _ in range(CHUNK_COUNT):
        await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def make_file(name: str) -> Path:
    """Write one of FILES, if it is not there, and return its path."""
    path = FILES_FOLDER / name
    if not path.exists():
        FILES_FOLDER.mkdir(exist_ok=True)
        path.write_bytes(LARGE * FILES[name])
    return path


def file_sender(name: str) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """Make an application that has the server send a file; where that cannot, Starlette does."""
    path = make_file(name)
    length = (b"content-length", b"%d" % path.stat().st_size)
    start = {"type": "http.response.start", "status": 200, "headers": [length]}

    async def send_file(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await answer_lifespan(receive, send)
        elif "http.response.pathsend" in (scope.get("extensions") or ()):
            await send(start)
            await send({"type": "http.response.pathsend", "path": str(path)})
        else:
            from starlette.responses import FileResponse  # noqa: PLC0415 - not for all

            await FileResponse(path)(scope, receive, send)

    return send_file


JSON_OBJECT = {"message": "Hello, World!", "items": [1, 2, 3], "ok": True}
JSON_ANSWER = b'{"message":"Hello, World!","items":[1,2,3],"ok":true}'


def __getattr__(name: str) -> object:
    """Make what sends a file when it is asked for, and so its file."""
    if name in FILES:
        return file_sender(name)
    raise AttributeError(name)


async def mixed(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer 13 bytes, or 1 MiB at /large."""
    app = large if scope.get("path") == "/large" else hello
    await app(scope, receive, send)


def _new_event() -> Any:
    """Return an event of the library whose loop runs: asyncio or trio."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return sys.modules["trio"].Event()
    return asyncio.Event()


class Feed:
    """Server-sent events: whoever asks gets one for each POST.

    Each stream counts what it has sent, so that none misses an event that is published while it is
    still sending the one before.
    """

    def __init__(self) -> None:
        self._count = 0
        self._changed: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a stream, or publish."""
        if scope["type"] == "lifespan":
            await answer_lifespan(receive, send)
        elif scope["method"] == "POST":
            await self._publish(receive, send)
        else:
            await self._stream(send)

    async def _publish(self, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        self._count += 1
        changed, self._changed = self._changed, None
        if changed is not None:
            changed.set()
        await send({"type": "http.response.start", "status": 200, "headers": PUBLISHED_HEADERS})
        await send({"type": "http.response.body", "body": PUBLISHED})

    async def _stream(self, send: Send) -> None:
        sent = self._count
        await send({"type": "http.response.start", "status": 200, "headers": EVENT_HEADERS})
        # Some servers send the head with the first part of the body.
        await send({"type": "http.response.body", "body": b":\n", "more_body": True})
        while True:
            while sent == self._count:
                self._changed = self._changed or _new_event()
                await self._changed.wait()
            sent += 1
            await send({"type": "http.response.body", "body": EVENT, "more_body": True})


events = Feed()


async def websocket_echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Send every message of a WebSocket back."""
    if scope["type"] == "lifespan":
        await answer_lifespan(receive, send)
        return
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        if text is None:
            await send({"type": "websocket.send", "bytes": message["bytes"]})
        else:
            await send({"type": "websocket.send", "text": text})


class Room:
    """Send every message to all WebSockets that are open."""

    def __init__(self) -> None:
        self._members: dict[Send, None] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one of them."""
        if scope["type"] == "lifespan":
            await answer_lifespan(receive, send)
            return
        await receive()
        await send({"type": "websocket.accept"})
        self._members[send] = None
        try:
            while (message := await receive())["type"] == "websocket.receive":
                out = {"type": "websocket.send", "text": message["text"]}
                for member in list(self._members):
                    await member(out)
        finally:
            del self._members[send]


websocket_broadcast = Room()
