"""sse-starlette: server-sent events in a Starlette application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.ecosystem.sites import stage
from tests.ecosystem.sites.stage import tell

gate = stage.Gate()


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, str]]:
    """Open and close something, and share it with requests."""
    tell("startup")
    yield {"pool": "open"}
    tell("shutdown")


async def state(request: Request) -> Response:
    return JSONResponse(request.state.pool)


async def stream(request: Request) -> EventSourceResponse:
    seen = int(request.headers.get("last-event-id", "0"))

    async def events() -> AsyncIterator[ServerSentEvent]:
        for number, piece in enumerate(stage.PIECES[seen:], seen + 1):
            yield ServerSentEvent(piece.strip(), id=str(number))
            await gate.wait()

    return EventSourceResponse(events())


async def open_gate(request: Request) -> Response:
    gate.open()
    return PlainTextResponse("opened")


async def work() -> None:
    await gate.wait()
    tell("worked")


async def background(request: Request) -> EventSourceResponse:
    async def events() -> AsyncIterator[str]:
        yield "answered"

    return EventSourceResponse(events(), background=BackgroundTask(work))


async def error(request: Request) -> Response:
    raise ValueError(stage.MISTAKE)


async def broken(request: Request) -> EventSourceResponse:
    async def events() -> AsyncIterator[str]:
        yield stage.BEGINNING.strip()
        raise ValueError(stage.MISTAKE)

    return EventSourceResponse(events())


async def endless(request: Request) -> EventSourceResponse:
    async def events() -> AsyncIterator[str]:
        try:
            while True:
                yield "tick"
                await anyio.sleep(stage.PAUSE)
        finally:
            tell("stream ended")

    return EventSourceResponse(events())


app = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/state", state),
        Route("/stream", stream),
        Route("/open", open_gate, methods=["POST"]),
        Route("/background", background),
        Route("/error", error),
        Route("/broken", broken),
        Route("/endless", endless),
    ],
)
