"""Litestar."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import anyio
from litestar import Litestar, Request, Response, WebSocket, get, post, websocket
from litestar.background_tasks import BackgroundTask
from litestar.datastructures import State, UploadFile
from litestar.enums import RequestEncodingType
from litestar.exceptions import WebSocketDisconnect
from litestar.params import Body
from litestar.response import File, Stream

from tests.ecosystem.sites import stage
from tests.ecosystem.sites.stage import tell

gate = stage.Gate()


@asynccontextmanager
async def lifespan(app: Litestar) -> AsyncIterator[None]:
    """Open and close something, and share it with requests."""
    tell("startup")
    app.state.pool = "open"
    yield
    tell("shutdown")


@get("/items/{number:int}", sync_to_thread=False)
def item(request: Request[Any, Any, Any], number: int, q: str | None = None) -> dict[str, Any]:
    return {"number": number, "q": q, "url": str(request.url)}


@get("/state")
async def pool(state: State) -> str:
    return str(state.pool)


@post("/json", status_code=200)
async def json(data: Any) -> Any:
    return data


@post("/form", status_code=200)
async def form(
    data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> dict[str, str]:
    return data


@post("/upload", status_code=200)
async def upload(
    data: Annotated[dict[str, Any], Body(media_type=RequestEncodingType.MULTI_PART)],
) -> dict[str, Any]:
    file: UploadFile = data["upload"]
    digest = stage.digest(file.file)
    return {"name": data["name"], "filename": file.filename, "sha256": digest}


@post("/count", status_code=200)
async def count(request: Request[Any, Any, Any]) -> int:
    return sum([len(piece) async for piece in request.stream()])


@get("/stream", media_type="text/plain")
async def stream() -> Stream:
    async def pieces() -> AsyncIterator[str]:
        for piece in stage.PIECES:
            yield piece
            await gate.wait()

    return Stream(pieces())


@post("/open", status_code=200)
async def open_gate() -> str:
    gate.open()
    return "opened"


@get("/file")
async def file() -> File:
    return File(stage.FILE)


@get("/cookies")
async def cookies(request: Request[Any, Any, Any]) -> Response[Any]:
    answer = Response(request.cookies)
    answer.set_cookie("one", "1")
    answer.set_cookie("two", "2")
    return answer


async def work() -> None:
    await gate.wait()
    tell("worked")


@get("/background")
async def background() -> Response[str]:
    return Response("answered", background=BackgroundTask(work))


@get("/error", sync_to_thread=True)
def error() -> None:
    raise ValueError(stage.MISTAKE)


@get("/broken")
async def broken() -> Stream:
    async def pieces() -> AsyncIterator[str]:
        yield stage.BEGINNING
        raise ValueError(stage.MISTAKE)

    return Stream(pieces())


@get("/endless")
async def endless() -> Stream:
    async def ticks() -> AsyncIterator[str]:
        try:
            while True:
                yield "tick\n"
                await anyio.sleep(stage.PAUSE)
        finally:
            tell("stream ended")

    return Stream(ticks())


@get("/patient")
async def patient(request: Request[Any, Any, Any]) -> str:
    tell("waiting")
    while (await request.receive())["type"] != "http.disconnect":
        pass
    tell("left")
    return "nobody reads this"


@websocket("/ws")
async def echo(socket: WebSocket[Any, Any, Any]) -> None:
    offered = socket.scope["subprotocols"]
    await socket.accept(subprotocols=stage.SUBPROTOCOL if stage.SUBPROTOCOL in offered else None)
    try:
        async for message in both_kinds(socket):
            if message == "close":
                await socket.close(4001)
            elif isinstance(message, str):
                await socket.send_text(message)
            else:
                await socket.send_bytes(message)
    except WebSocketDisconnect as left:
        tell(f"socket closed {left.code}")


async def both_kinds(socket: WebSocket[Any, Any, Any]) -> AsyncIterator[str | bytes]:
    """Give messages as they come; Litestar's own methods take one kind each."""
    while (message := await socket.receive())["type"] == "websocket.receive":
        text = message.get("text")
        yield message["bytes"] if text is None else text
    raise WebSocketDisconnect(detail="left", code=message["code"])


@websocket("/refused")
async def refused(socket: WebSocket[Any, Any, Any]) -> None:
    await socket.close()


app = Litestar(
    [
        *(item, pool, json, form, upload, count, stream, open_gate, file, cookies, background),
        *(error, broken, endless, patient, echo, refused),
    ],
    lifespan=[lifespan],
    request_max_body_size=None,
    openapi_config=None,
)
