"""Applications that the servers are measured with: raw ASGI, nothing between them and the server.

Every application answers the lifespan messages, so that no server takes a slower path for an
application without lifespan.
"""

from __future__ import annotations

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


def __getattr__(name: str) -> object:
    """Make what sends a file when it is asked for, and so its file."""
    if name in FILES:
        return file_sender(name)
    raise AttributeError(name)


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
