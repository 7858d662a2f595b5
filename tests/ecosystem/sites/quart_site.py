"""Quart, and on trio QuartTrio."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Any

import anyio
from quart import (
    Quart,
    Response,
    abort,
    current_app,
    jsonify,
    make_response,
    request,
    send_file,
    websocket,
)

from tests.ecosystem.sites import stage
from tests.ecosystem.sites.stage import tell

gate = stage.Gate()
if os.environ.get("ECOSYSTEM_LOOP") == "trio":
    from quart_trio import QuartTrio

    app: Any = QuartTrio(__name__)
else:
    app = Quart(__name__)
app.config["MAX_CONTENT_LENGTH"] = 2**30
# Without a bound for a slow machine.
app.config["BODY_TIMEOUT"] = None
app.config["RESPONSE_TIMEOUT"] = None


@app.before_serving
async def start() -> None:
    tell("startup")
    app.pool = "open"


@app.after_serving
async def stop() -> None:
    tell("shutdown")


@app.get("/items/<int:number>")
async def item(number: int) -> Any:
    return {"number": number, "q": request.args.get("q"), "url": request.url}


@app.get("/state")
async def state() -> Any:
    return jsonify(current_app.pool)


@app.post("/json")
async def json() -> Any:
    return jsonify(await request.get_json())


@app.post("/form")
async def form() -> Any:
    return (await request.form).to_dict()


@app.post("/upload")
async def upload() -> Any:
    file = (await request.files)["upload"]
    digest = stage.digest(file.stream)
    name = (await request.form)["name"]
    return {"name": name, "filename": file.filename, "sha256": digest}


@app.post("/count")
async def count() -> Any:
    return jsonify(sum([len(piece) async for piece in request.body]))


@app.get("/stream")
async def stream() -> Any:
    async def pieces() -> AsyncIterator[str]:
        for piece in stage.PIECES:
            yield piece
            await gate.wait()

    return Response(pieces(), mimetype="text/plain")


@app.post("/open")
async def open_gate() -> Any:
    gate.open()
    return "opened"


@app.get("/file")
async def file() -> Any:
    return await send_file(stage.FILE, conditional=True)


@app.get("/cookies")
async def cookies() -> Any:
    answer = await make_response(jsonify(request.cookies.to_dict()))
    answer.set_cookie("one", "1")
    answer.set_cookie("two", "2")
    return answer


@app.get("/background")
async def background() -> Any:
    async def work() -> None:
        await gate.wait()
        tell("worked")

    app.add_background_task(work)
    return "answered"


@app.get("/error")
async def error() -> Any:
    raise ValueError(stage.MISTAKE)


@app.get("/broken")
async def broken() -> Any:
    async def pieces() -> AsyncIterator[str]:
        yield stage.BEGINNING
        raise ValueError(stage.MISTAKE)

    return Response(pieces())


@app.get("/endless")
async def endless() -> Any:
    async def ticks() -> AsyncIterator[str]:
        try:
            while True:
                yield "tick\n"
                await anyio.sleep(stage.PAUSE)
        finally:
            tell("stream ended")

    return Response(ticks())


@app.get("/patient")
async def patient() -> Any:
    tell("waiting")
    try:
        await anyio.sleep_forever()
    finally:
        tell("left")


@app.websocket("/ws")
async def echo() -> None:
    offered = websocket.requested_subprotocols
    await websocket.accept(subprotocol=stage.SUBPROTOCOL if stage.SUBPROTOCOL in offered else None)
    try:
        while (message := await websocket.receive()) != "close":
            await websocket.send(message)
        await websocket.close(4001)
        await anyio.sleep_forever()
    finally:
        tell("socket closed")


@app.websocket("/refused")
async def refused() -> None:
    abort(403)
