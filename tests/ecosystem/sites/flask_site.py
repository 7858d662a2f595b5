"""Flask, which is WSGI."""

from __future__ import annotations

import time
from collections.abc import Iterator

from flask import Flask, Response, jsonify, request, send_file

from tests.ecosystem.sites import stage
from tests.ecosystem.sites.stage import tell

gate = stage.ThreadGate()
app = Flask(__name__)


@app.get("/items/<int:number>")
def item(number: int) -> Response:
    return jsonify({"number": number, "q": request.args.get("q"), "url": request.url})


@app.post("/json")
def json() -> Response:
    return jsonify(request.json)


@app.post("/form")
def form() -> Response:
    return jsonify(request.form.to_dict())


@app.post("/upload")
def upload() -> Response:
    file = request.files["upload"]
    digest = stage.digest(file.stream)
    return jsonify({"name": request.form["name"], "filename": file.filename, "sha256": digest})


@app.post("/count")
def count() -> Response:
    size = 0
    while piece := request.stream.read(65536):
        size += len(piece)
    return jsonify(size)


@app.get("/stream")
def stream() -> Response:
    def pieces() -> Iterator[str]:
        for piece in stage.PIECES:
            yield piece
            gate.wait()

    return Response(pieces(), mimetype="text/plain")


@app.post("/open")
def open_gate() -> str:
    gate.open()
    return "opened"


@app.get("/file")
def file() -> Response:
    return send_file(stage.FILE)


@app.get("/cookies")
def cookies() -> Response:
    answer = jsonify(request.cookies.to_dict())
    answer.set_cookie("one", "1")
    answer.set_cookie("two", "2")
    return answer


@app.get("/background")
def background() -> Response:
    def work() -> None:
        gate.wait()
        tell("worked")

    answer = Response("answered")
    answer.call_on_close(work)
    return answer


@app.get("/error")
def error() -> Response:
    raise ValueError(stage.MISTAKE)


@app.get("/broken")
def broken() -> Response:
    def pieces() -> Iterator[str]:
        yield stage.BEGINNING
        raise ValueError(stage.MISTAKE)

    return Response(pieces())


@app.get("/endless")
def endless() -> Response:
    def ticks() -> Iterator[str]:
        try:
            while True:
                yield "tick\n"
                time.sleep(stage.PAUSE)
        finally:
            tell("stream ended")

    return Response(ticks())
