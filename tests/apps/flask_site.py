"""A Flask application, which is WSGI."""

from __future__ import annotations

import time
from collections.abc import Iterator

from flask import Flask, Response, jsonify, request

from tests.apps.stage import tell

app = Flask(__name__)


@app.get("/items/<int:number>")
def item(number: int) -> Response:
    """Answer with what was asked for."""
    shown = {"number": number, "q": request.args.get("q"), "url": request.url}
    return jsonify(shown)


@app.post("/raw")
def raw() -> Response:
    """Count the content, a piece at a time."""
    size = 0
    while piece := request.stream.read(65536):
        size += len(piece)
    return jsonify({"size": size})


@app.post("/form")
def form() -> Response:
    """Give back a form and the size of its file."""
    size = len(request.files["upload"].read())
    return jsonify({"name": request.form["name"], "size": size})


@app.get("/stream")
def stream() -> Response:
    """Stream a hundred lines."""
    return Response((f"{number}\n" for number in range(100)), mimetype="text/plain")


@app.get("/endless")
def endless() -> Response:
    """Stream until the client leaves."""

    def ticks() -> Iterator[bytes]:
        try:
            while True:
                yield b"tick\n"
                time.sleep(0.02)
        finally:
            tell("flask: stream ended")

    return Response(ticks())


@app.get("/cookies")
def cookies() -> Response:
    """Give back the cookies, and set two."""
    answer = jsonify(request.cookies.to_dict())
    answer.set_cookie("one", "1")
    answer.set_cookie("two", "2")
    return answer


@app.get("/error")
def error() -> Response:
    """Raise."""
    raise ValueError("flask on purpose")
