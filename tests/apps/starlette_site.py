"""A Starlette application that runs on every loop."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.lowlevel import checkpoint
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    JSONResponse,
    PlainTextResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from tests.apps.stage import tell


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, str]]:
    """Open and close something, and share it with requests."""
    tell("starlette: startup")
    yield {"pool": "open"}
    tell("starlette: shutdown")


async def home(request: Request) -> Response:
    """Give back the lifespan's state and the query."""
    return JSONResponse({"pool": request.state.pool, "query": dict(request.query_params)})


async def echo(request: Request) -> Response:
    """Give back the content, read as a whole."""
    return Response(await request.body())


async def stream(request: Request) -> Response:
    """Stream a hundred lines."""

    async def lines() -> AsyncIterator[bytes]:
        for number in range(100):
            yield b"%d\n" % number
            await checkpoint()

    return StreamingResponse(lines(), media_type="text/plain")


async def endless(request: Request) -> Response:
    """Stream until the client leaves."""

    async def ticks() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"tick\n"
                await anyio.sleep(0.02)
        finally:
            tell("starlette: stream ended")

    return StreamingResponse(ticks())


async def file(request: Request) -> Response:
    """Send the file that the environment names."""
    return FileResponse(os.environ["SITE_FILE"])


async def background(request: Request) -> Response:
    """Work on after the response."""
    return PlainTextResponse("answered", background=BackgroundTask(tell, "starlette: background"))


async def missing(request: Request) -> Response:
    """Raise what the framework answers itself."""
    raise HTTPException(404, "no such thing")


async def error(request: Request) -> Response:
    """Raise what nobody expects."""
    raise ValueError("starlette on purpose")


app = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/", home),
        Route("/echo", echo, methods=["POST"]),
        Route("/stream", stream),
        Route("/endless", endless),
        Route("/file", file),
        Route("/background", background),
        Route("/missing", missing),
        Route("/error", error),
    ],
)
