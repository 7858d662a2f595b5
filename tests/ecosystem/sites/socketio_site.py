"""python-socketio, with the whole site of Starlette behind it."""

from __future__ import annotations

from typing import Any

import socketio

from tests.ecosystem.sites import starlette_site
from tests.ecosystem.sites.stage import MISTAKE, tell

server = socketio.AsyncServer(async_mode="asgi", max_http_buffer_size=2**24)


@server.event
async def connect(sid: str, environ: Any, auth: Any) -> bool:
    return bool(auth != {"token": "wrong"})


@server.event
async def disconnect(sid: str, reason: str) -> None:
    tell(f"left: {reason}")


@server.event
async def echo(sid: str, data: Any) -> Any:
    return data


@server.event
async def later(sid: str) -> None:
    async def work() -> None:
        await starlette_site.gate.wait()
        await server.emit("worked", to=sid)

    server.start_background_task(work)


@server.event
async def fail(sid: str) -> None:
    raise ValueError(MISTAKE)


app = socketio.ASGIApp(server, starlette_site.app)
