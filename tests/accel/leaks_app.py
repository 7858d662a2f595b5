"""An application of many endings, which tells how much its process holds.

The garbage collector is off: an object of ours that only it could free counts as a leak. Blocks are
counted behind a collection, for asyncio's own transports are cycles.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import sys
import tempfile
from pathlib import Path

from esg.asgi import Receive, Scope, Send

gc.disable()


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """End as the path says."""
    if scope["type"] != "lifespan":
        logging.getLogger("esg").setLevel(logging.CRITICAL)
        await ENDINGS[scope["path"]](receive, send)


async def _answer(send: Send, body: bytes) -> None:
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


async def _hello(receive: Receive, send: Send) -> None:
    await _answer(send, b"hello")


async def _later(receive: Receive, send: Send) -> None:
    await asyncio.sleep(0)
    await _answer(send, b"later")


async def _echo(receive: Receive, send: Send) -> None:
    body = b""
    while (message := await receive())["type"] == "http.request":
        body += message["body"]
        if not message["more_body"]:
            break
    await _answer(send, body)


async def _stream(receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(5):
        await send({"type": "http.response.body", "body": b"part", "more_body": True})
        await asyncio.sleep(0)
    await send({"type": "http.response.body", "body": bytearray(b"end")})


_file = tempfile.NamedTemporaryFile()  # noqa: SIM115 - for as long as the process runs
_file.write(bytes(300_000))
_file.flush()


async def _by_path(receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.pathsend", "path": _file.name})


async def _by_parts(receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for count in (5, 100_000, 200_000):
        part = {"file": _file, "offset": 0, "count": count, "more_body": True}
        await send({"type": "http.response.zerocopysend", **part})
    await send({"type": "http.response.body"})


async def _no_file(receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.pathsend", "path": "/nowhere"})


async def _until_disconnect(receive: Receive, send: Send) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _raise(receive: Receive, send: Send) -> None:
    raise ValueError("as asked")


async def _nothing(receive: Receive, send: Send) -> None:
    await receive()


async def _after_timeout(receive: Receive, send: Send) -> None:
    try:
        async with asyncio.timeout(0):
            await asyncio.sleep(30)
    except TimeoutError:
        await _answer(send, b"timeout")


async def _accept(receive: Receive, send: Send) -> None:
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})


async def _socket_echo(receive: Receive, send: Send) -> None:
    await _accept(receive, send)
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})


async def _socket_slow(receive: Receive, send: Send) -> None:
    await _accept(receive, send)
    while (await receive())["type"] == "websocket.receive":  # noqa: ASYNC110 - it waits for none
        await asyncio.sleep(0)


async def _socket_flood(receive: Receive, send: Send) -> None:
    await _accept(receive, send)
    while True:
        await send({"type": "websocket.send", "bytes": bytes(100_000)})


async def _socket_tasks(receive: Receive, send: Send) -> None:
    """Wait in tasks of our own, which are cancelled; then close."""
    await _accept(receive, send)
    for _ in range(3):
        waiting = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        waiting.cancel()
    await send({"type": "websocket.close", "code": 3000})
    assert (await receive())["type"] == "websocket.disconnect"


async def _socket_deny(receive: Receive, send: Send) -> None:
    await send({"type": "websocket.http.response.start", "status": 401})
    await send({"type": "websocket.http.response.body", "body": b"no"})


async def _socket_refuse(receive: Receive, send: Send) -> None:
    await send({"type": "websocket.close"})


async def _socket_raise(receive: Receive, send: Send) -> None:
    await _accept(receive, send)
    raise ValueError("as asked")


def _descriptors() -> list[str]:
    return [os.path.realpath(entry) for entry in Path("/proc/self/fd").iterdir()]


async def _held(receive: Receive, send: Send) -> None:
    await asyncio.sleep(0.1)  # what has just ended is gone by then
    kinds = (
        *("HttpProtocol", "HttpRequest", "RequestTask", "FilePart", "ProxyHeaderProtocol"),
        *("WebSocketProtocol", "WebSocket", "WebSocketTask", "FrameReader", "AppWaiter"),
        *("TLSProtocol", "TLSSession", "SSLObject", "TimerHandle"),
    )
    names = [type(o).__name__ for o in gc.get_objects()]
    counts = {kind: names.count(kind) for kind in kinds}
    del names
    gc.collect()
    open_now = _descriptors()
    files = {"descriptors": len(open_now), "files": open_now.count(_file.name)}
    held = {"blocks": sys.getallocatedblocks(), **files, **counts}
    await _answer(send, json.dumps(held).encode())


ENDINGS = {
    "/": _hello,
    "/later": _later,
    "/echo": _echo,
    "/stream": _stream,
    "/by-path": _by_path,
    "/by-parts": _by_parts,
    "/no-file": _no_file,
    "/until-disconnect": _until_disconnect,
    "/raise": _raise,
    "/nothing": _nothing,
    "/timeout": _after_timeout,
    "/socket/echo": _socket_echo,
    "/socket/slow": _socket_slow,
    "/socket/flood": _socket_flood,
    "/socket/tasks": _socket_tasks,
    "/socket/deny": _socket_deny,
    "/socket/refuse": _socket_refuse,
    "/socket/raise": _socket_raise,
    "/socket/nothing": _nothing,
    "/held": _held,
}
