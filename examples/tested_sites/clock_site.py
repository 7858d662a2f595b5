"""A Starlette application that runs on every loop: what it uses of asynchronous code is anyio's."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket

TICK = 0.02  # seconds


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, list[str]]]:
    """Keep a guest book as long as the application is up."""
    yield {"guests": []}


async def greet(request: Request) -> Response:
    """Greet the guest, and write the name down once the greeting is out."""
    name = request.path_params["name"]
    note = BackgroundTask(request.state.guests.append, name)
    return PlainTextResponse(f"Hello, {name}!", background=note)


async def guests(request: Request) -> Response:
    """List the guests so far."""
    return JSONResponse(request.state.guests)


async def count(request: Request) -> Response:
    """Count the bytes of an upload as they come in."""
    size = 0
    async for piece in request.stream():
        size += len(piece)
    return JSONResponse({"bytes": size})


async def ticks(request: Request) -> Response:
    """Send an event every moment until the client leaves."""

    async def events() -> AsyncIterator[str]:
        number = 0
        while True:
            number += 1
            yield f"data: {json.dumps(number)}\n\n"
            await anyio.sleep(TICK)

    return StreamingResponse(events(), media_type="text/event-stream")


async def ask(websocket: WebSocket) -> None:
    """Greet whoever is named over a WebSocket, until the client closes it."""
    await websocket.accept()
    async for name in websocket.iter_text():
        await websocket.send_text(f"Hello, {name}!")


app = Starlette(
    lifespan=lifespan,
    middleware=[Middleware(GZipMiddleware, minimum_size=1000)],
    routes=[
        Route("/guests", guests),
        Mount("/hello", routes=[Route("/{name}", greet)]),
        Route("/count", count, methods=["POST"]),
        Route("/ticks", ticks),
        WebSocketRoute("/ask", ask),
    ],
)
