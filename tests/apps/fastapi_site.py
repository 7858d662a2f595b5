"""A FastAPI application that uses what such applications use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import BackgroundTasks, FastAPI, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from tests.apps.stage import tell


class Item(BaseModel):
    """What is posted."""

    name: str
    price: float = 1.5


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[dict[str, str]]:
    """Open and close something, and share it with requests."""
    tell("fastapi: startup")
    yield {"pool": "open"}
    tell("fastapi: shutdown")


app = FastAPI(lifespan=lifespan)


@app.get("/items/{number}")
async def read_item(number: int, q: str | None = None) -> dict[str, object]:
    """Give back what came in path and query."""
    return {"number": number, "q": q}


@app.post("/items")
async def create_item(item: Item) -> Item:
    """Give back what came as JSON."""
    return item


@app.post("/raw")
async def measure(request: Request) -> dict[str, int]:
    """Count content as it streams in."""
    size = 0
    async for piece in request.stream():
        size += len(piece)
    return {"size": size}


@app.get("/state")
async def state(request: Request) -> str:
    """Give back the lifespan's state."""
    return str(request.state.pool)


@app.get("/stream")
async def stream() -> StreamingResponse:
    """Stream a hundred lines."""

    async def lines() -> AsyncIterator[bytes]:
        for number in range(100):
            yield b"%d\n" % number
            await asyncio.sleep(0)

    return StreamingResponse(lines(), media_type="text/plain")


@app.get("/endless")
async def endless() -> StreamingResponse:
    """Stream until the client leaves."""

    async def ticks() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"tick\n"
                await asyncio.sleep(0.02)
        finally:
            tell("fastapi: stream ended")

    return StreamingResponse(ticks())


@app.get("/patient")
async def patient(request: Request) -> str:
    """Look until the client has left."""
    tell("fastapi: waiting")
    while not await request.is_disconnected():  # noqa: ASYNC110 - it is what is tested
        await asyncio.sleep(0.01)
    tell("fastapi: disconnected")
    return "nobody reads this"


@app.get("/thread")
def in_thread() -> str:
    """Run in a worker thread."""
    return "threaded"


@app.get("/background")
async def background(tasks: Annotated[BackgroundTasks, BackgroundTasks()]) -> str:
    """Work on after the response."""
    tasks.add_task(tell, "fastapi: background")
    return "answered"


@app.get("/error")
async def error() -> None:
    """Raise."""
    raise ValueError("fastapi on purpose")
