"""BlackSheep."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

from blacksheep import Application, Content, Cookie, Request, Response, StreamedContent, WebSocket
from blacksheep.server.responses import json as json_response
from blacksheep.server.responses import text
from blacksheep.server.websocket import WebSocketDisconnectError

from tests.ecosystem.sites import stage
from tests.ecosystem.sites.stage import tell

gate = stage.Gate()
app = Application(show_error_details=False)
pool: list[str] = []
tasks: set[asyncio.Task[None]] = set()


@app.on_start
async def start(_app: Application) -> None:
    tell("startup")
    pool.append("open")


@app.on_stop
async def stop(_app: Application) -> None:
    tell("shutdown")


@app.router.get("/items/{int:number}")
async def item(request: Request, number: int, q: str | None = None) -> Response:
    url = f"{request.scheme}://{request.host}{request.path}"
    return json_response({"number": number, "q": q, "url": url})


@app.router.get("/state")
async def state() -> Response:
    return json_response(pool[0])


@app.router.post("/json")
async def json(request: Request) -> Response:
    return json_response(await request.json())


@app.router.post("/form")
async def form(request: Request) -> Response:
    return json_response(await request.form())


@app.router.post("/upload")
async def upload(request: Request) -> Response:
    shown: dict[str, str] = {}
    async for part in request.multipart_stream():
        if part.file_name is None:
            shown[part.name] = (await part.read()).decode()
            continue
        digest = hashlib.sha256()
        async for piece in part.stream():
            digest.update(piece)
        shown |= {"filename": part.file_name, "sha256": digest.hexdigest()}
    return json_response(shown)


@app.router.post("/count")
async def count(request: Request) -> Response:
    return json_response(sum([len(piece) async for piece in request.stream()]))


@app.router.get("/stream")
async def stream() -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in stage.PIECES:
            yield piece.encode()
            await gate.wait()

    return Response(200, content=StreamedContent(b"text/plain", pieces))


@app.router.post("/open")
async def open_gate() -> Response:
    gate.open()
    return text("opened")


@app.router.get("/cookies")
async def cookies(request: Request) -> Response:
    answer = json_response(request.cookies)
    answer.set_cookie(Cookie("one", "1"))
    answer.set_cookie(Cookie("two", "2"))
    return answer


@app.router.get("/error")
async def error() -> Response:
    raise ValueError(stage.MISTAKE)


@app.router.get("/broken")
async def broken() -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        yield stage.BEGINNING.encode()
        raise ValueError(stage.MISTAKE)

    return Response(200, content=StreamedContent(b"text/plain", pieces))


@app.router.get("/endless")
async def endless() -> Response:
    async def ticks() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"tick\n"
                await asyncio.sleep(stage.PAUSE)
        finally:
            tell("stream ended")

    return Response(200, content=StreamedContent(b"text/plain", ticks))


@app.router.get("/patient")
async def patient(request: Request) -> Response:
    tell("waiting")
    while not await request.is_disconnected():  # noqa: ASYNC110 - it is what is tested
        await asyncio.sleep(stage.PAUSE)
    tell("left")
    return Response(200, content=Content(b"text/plain", b"nobody reads this"))


@app.router.ws("/ws")
async def websocket(socket: WebSocket) -> None:
    offered = socket.scope["subprotocols"]
    await socket.accept(subprotocol=stage.SUBPROTOCOL if stage.SUBPROTOCOL in offered else None)
    try:
        while message := await socket.receive():
            await answer(socket, message)
    except WebSocketDisconnectError as left:
        tell(f"socket closed {left.code}")


async def answer(socket: WebSocket, message: Any) -> None:
    """Send a message back."""
    if message.get("text") == "close":
        await socket.close(4001)
    elif message.get("text") is not None:
        await socket.send_text(message["text"])
    else:
        await socket.send_bytes(message["bytes"])


@app.router.ws("/refused")
async def refused(socket: WebSocket) -> None:
    await socket.close()


app.serve_files(stage.FILE.parent, root_path="files", extensions={".bin"})
