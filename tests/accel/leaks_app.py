"""An application of many endings, which tells how much its process holds.

The garbage collector is off: an object of ours that only it could free counts as a leak. Blocks are
counted behind a collection, for asyncio's own transports are cycles.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import sys

from esg.asgi import Receive, Scope, Send

gc.disable()


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """End as the path says."""
    if scope["type"] == "http":
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


async def _held(receive: Receive, send: Send) -> None:
    await asyncio.sleep(0.1)  # what has just ended is gone by then
    kinds = ("HttpProtocol", "HttpRequest", "RequestTask")
    names = [type(o).__name__ for o in gc.get_objects()]
    counts = {kind: names.count(kind) for kind in kinds}
    del names
    gc.collect()
    held = {"blocks": sys.getallocatedblocks(), **counts}
    await _answer(send, json.dumps(held).encode())


ENDINGS = {
    "/": _hello,
    "/later": _later,
    "/echo": _echo,
    "/stream": _stream,
    "/until-disconnect": _until_disconnect,
    "/raise": _raise,
    "/nothing": _nothing,
    "/timeout": _after_timeout,
    "/held": _held,
}
