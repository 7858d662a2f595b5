"""Falcon."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from falcon import HTTPForbidden, WebSocketDisconnected
from falcon.asgi import App

from tests.ecosystem.sites import stage
from tests.ecosystem.sites.stage import tell

gate = stage.Gate()
pool: list[str] = []


class Lifespan:
    """Open and close something."""

    async def process_startup(self, scope: Any, event: Any) -> None:
        tell("startup")
        pool.append("open")

    async def process_shutdown(self, scope: Any, event: Any) -> None:
        tell("shutdown")


async def item(request: Any, answer: Any, number: int) -> None:
    url = request.uri
    answer.media = {"number": number, "q": request.get_param("q"), "url": url}


async def state(request: Any, answer: Any) -> None:
    answer.media = pool[0]


async def json(request: Any, answer: Any) -> None:
    answer.media = await request.get_media()


async def form(request: Any, answer: Any) -> None:
    answer.media = await request.get_media()


async def upload(request: Any, answer: Any) -> None:
    shown = {}
    async for part in await request.get_media():
        if part.filename is None:
            shown[part.name] = await part.get_text()
            continue
        digest = hashlib.sha256()
        async for piece in part.stream:
            digest.update(piece)
        shown |= {"filename": part.filename, "sha256": digest.hexdigest()}
    answer.media = shown


async def count(request: Any, answer: Any) -> None:
    answer.media = sum([len(piece) async for piece in request.stream])


async def stream(request: Any, answer: Any) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in stage.PIECES:
            yield piece.encode()
            await gate.wait()

    answer.content_type = "text/plain"
    answer.stream = pieces()


async def open_gate(request: Any, answer: Any) -> None:
    gate.open()
    answer.text = "opened"


async def cookies(request: Any, answer: Any) -> None:
    answer.media = request.cookies
    answer.set_cookie("one", "1", secure=False)
    answer.set_cookie("two", "2", secure=False)


async def work() -> None:
    await gate.wait()
    tell("worked")


async def background(request: Any, answer: Any) -> None:
    answer.text = "answered"
    answer.schedule(work)


async def error(request: Any, answer: Any) -> None:
    raise ValueError(stage.MISTAKE)


async def broken(request: Any, answer: Any) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield stage.BEGINNING.encode()
        raise ValueError(stage.MISTAKE)

    answer.stream = pieces()


async def endless(request: Any, answer: Any) -> None:
    async def ticks() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"tick\n"
                await asyncio.sleep(stage.PAUSE)
        finally:
            tell("stream ended")

    answer.stream = ticks()


class Echo:
    """Send every message back."""

    async def on_websocket(self, request: Any, socket: Any) -> None:
        offered = socket.subprotocols
        await socket.accept(stage.SUBPROTOCOL if stage.SUBPROTOCOL in offered else None)
        try:
            while (message := await socket.receive_text()) != "close":
                await socket.send_text(message)
            await socket.close(4001)
        except WebSocketDisconnected as left:
            tell(f"socket closed {left.code}")


class Refusal:
    """Let nobody in."""

    async def on_websocket(self, request: Any, socket: Any) -> None:
        raise HTTPForbidden


class Resource:
    """Call one function for one method."""

    def __init__(self, method: str, responder: Callable[..., Awaitable[None]]) -> None:
        async def respond(_self: object, *arguments: Any, **path: Any) -> None:
            await responder(*arguments, **path)

        setattr(self, f"on_{method}", respond.__get__(self))


app = App(middleware=[Lifespan()])
for responder in (state, stream, cookies, background, error, broken, endless):
    app.add_route(f"/{responder.__name__}", Resource("get", responder))
for responder in (json, form, upload, count):
    app.add_route(f"/{responder.__name__}", Resource("post", responder))
app.add_route("/items/{number:int}", Resource("get", item))
app.add_route("/open", Resource("post", open_gate))
app.add_route("/ws", Echo())
app.add_route("/refused", Refusal())
app.add_static_route("/files", stage.FILE.parent)
