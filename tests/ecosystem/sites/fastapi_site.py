"""FastAPI."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import anyio
from fastapi import BackgroundTasks, Body, FastAPI, Form, Request, UploadFile, WebSocket
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse

from tests.ecosystem.sites import stage
from tests.ecosystem.sites.stage import tell

gate = stage.Gate()


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[dict[str, str]]:
    """Open and close something, and share it with requests."""
    tell("startup")
    yield {"pool": "open"}
    tell("shutdown")


app = FastAPI(lifespan=lifespan)


@app.get("/items/{number}")
async def item(request: Request, number: int, q: str | None = None) -> dict[str, object]:
    return {"number": number, "q": q, "url": str(request.url)}


@app.get("/state")
async def state(request: Request) -> str:
    return str(request.state.pool)


@app.post("/json")
async def json(content: Annotated[Any, Body()]) -> Any:
    return content


@app.post("/form")
async def form(name: Annotated[str, Form()]) -> dict[str, str]:
    return {"name": name}


@app.post("/upload")
def upload(name: Annotated[str, Form()], upload: UploadFile) -> dict[str, str | None]:
    digest = stage.digest(upload.file)
    return {"name": name, "filename": upload.filename, "sha256": digest}


@app.post("/count")
async def count(request: Request) -> int:
    return sum([len(piece) async for piece in request.stream()])


@app.get("/stream")
async def stream() -> StreamingResponse:
    async def pieces() -> AsyncIterator[str]:
        for piece in stage.PIECES:
            yield piece
            await gate.wait()

    return StreamingResponse(pieces(), media_type="text/plain")


@app.post("/open")
async def open_gate() -> str:
    gate.open()
    return "opened"


@app.get("/file")
async def file() -> FileResponse:
    return FileResponse(stage.FILE)


@app.get("/cookies")
async def cookies(request: Request) -> JSONResponse:
    answer = JSONResponse(request.cookies)
    answer.set_cookie("one", "1")
    answer.set_cookie("two", "2")
    return answer


async def work() -> None:
    await gate.wait()
    tell("worked")


@app.get("/background")
async def background(tasks: BackgroundTasks) -> str:
    tasks.add_task(work)
    return "answered"


@app.get("/error")
def error() -> None:
    raise ValueError(stage.MISTAKE)


@app.get("/broken")
async def broken() -> StreamingResponse:
    async def pieces() -> AsyncIterator[str]:
        yield stage.BEGINNING
        raise ValueError(stage.MISTAKE)

    return StreamingResponse(pieces())


@app.get("/endless")
async def endless() -> StreamingResponse:
    async def ticks() -> AsyncIterator[str]:
        try:
            while True:
                yield "tick\n"
                await anyio.sleep(stage.PAUSE)
        finally:
            tell("stream ended")

    return StreamingResponse(ticks())


@app.get("/patient")
async def patient(request: Request) -> str:
    tell("waiting")
    while not await request.is_disconnected():  # noqa: ASYNC110 - it is what is tested
        await anyio.sleep(stage.PAUSE)
    tell("left")
    return "nobody reads this"


@app.websocket("/ws")
async def websocket(socket: WebSocket) -> None:
    offered = socket.scope["subprotocols"]
    await socket.accept(stage.SUBPROTOCOL if stage.SUBPROTOCOL in offered else None)
    while (message := await socket.receive())["type"] == "websocket.receive":
        if message.get("text") == "close":
            await socket.close(4001)
        else:
            await socket.send({**message, "type": "websocket.send"})
    tell(f"socket closed {message['code']}")


@app.websocket("/refused")
async def refused(socket: WebSocket) -> None:
    await socket.close()
