"""Starlette."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.responses import StreamingResponse as Streaming
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from tests.ecosystem.sites import stage
from tests.ecosystem.sites.stage import tell

gate = stage.Gate()


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, str]]:
    """Open and close something, and share it with requests."""
    tell("startup")
    yield {"pool": "open"}
    tell("shutdown")


async def item(request: Request) -> Response:
    number = request.path_params["number"]
    shown = {"number": number, "q": request.query_params.get("q"), "url": str(request.url)}
    return JSONResponse(shown)


async def state(request: Request) -> Response:
    return JSONResponse(request.state.pool)


async def json(request: Request) -> Response:
    return JSONResponse(await request.json())


async def form(request: Request) -> Response:
    return JSONResponse(dict(await request.form()))


async def upload(request: Request) -> Response:
    async with request.form() as sent:
        file = sent["upload"]
        assert not isinstance(file, str)
        digest = stage.digest(file.file)
        shown = {"name": sent["name"], "filename": file.filename, "sha256": digest}
        return JSONResponse(shown)


async def count(request: Request) -> Response:
    return JSONResponse(sum([len(piece) async for piece in request.stream()]))


async def stream(request: Request) -> Response:
    async def pieces() -> AsyncIterator[str]:
        for piece in stage.PIECES:
            yield piece
            await gate.wait()

    return Streaming(pieces(), media_type="text/plain")


async def open_gate(request: Request) -> Response:
    gate.open()
    return PlainTextResponse("opened")


async def file(request: Request) -> Response:
    return FileResponse(stage.FILE)


async def cookies(request: Request) -> Response:
    answer = JSONResponse(request.cookies)
    answer.set_cookie("one", "1")
    answer.set_cookie("two", "2")
    return answer


async def work() -> None:
    await gate.wait()
    tell("worked")


async def background(request: Request) -> Response:
    return PlainTextResponse("answered", background=BackgroundTask(work))


async def error(request: Request) -> Response:
    raise ValueError(stage.MISTAKE)


async def broken(request: Request) -> Response:
    async def pieces() -> AsyncIterator[str]:
        yield stage.BEGINNING
        raise ValueError(stage.MISTAKE)

    return Streaming(pieces())


async def endless(request: Request) -> Response:
    async def ticks() -> AsyncIterator[str]:
        try:
            while True:
                yield "tick\n"
                await anyio.sleep(stage.PAUSE)
        finally:
            tell("stream ended")

    return Streaming(ticks())


async def patient(request: Request) -> Response:
    tell("waiting")
    while not await request.is_disconnected():  # noqa: ASYNC110 - it is what is tested
        await anyio.sleep(stage.PAUSE)
    tell("left")
    return PlainTextResponse("nobody reads this")


async def websocket(socket: WebSocket) -> None:
    offered = socket.scope["subprotocols"]
    await socket.accept(stage.SUBPROTOCOL if stage.SUBPROTOCOL in offered else None)
    while (message := await socket.receive())["type"] == "websocket.receive":
        if message.get("text") == "close":
            await socket.close(4001)
        else:
            await socket.send({**message, "type": "websocket.send"})
    tell(f"socket closed {message['code']}")


async def refused(socket: WebSocket) -> None:
    await socket.close()


app = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/items/{number:int}", item),
        Route("/state", state),
        Route("/json", json, methods=["POST"]),
        Route("/form", form, methods=["POST"]),
        Route("/upload", upload, methods=["POST"]),
        Route("/count", count, methods=["POST"]),
        Route("/stream", stream),
        Route("/open", open_gate, methods=["POST"]),
        Route("/file", file),
        Route("/cookies", cookies),
        Route("/background", background),
        Route("/error", error),
        Route("/broken", broken),
        Route("/endless", endless),
        Route("/patient", patient),
        WebSocketRoute("/ws", websocket),
        WebSocketRoute("/refused", refused),
    ],
)
