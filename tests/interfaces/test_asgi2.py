"""ASGI 2 applications: the two halves, and on every row."""

from __future__ import annotations

import json
from typing import Any

import anyio

from esg.interfaces.asgi2 import as_asgi3
from tests.conftest import Serve
from tests.rows import Row

APP = "tests.apps.asgi2_stage"


def test_both_halves_are_called() -> None:
    calls: list[Any] = []

    def app(scope: Any) -> Any:
        calls.append(scope)

        async def instance(*arguments: Any) -> str:
            calls.append(arguments)
            return "returned"

        return instance

    async def receive() -> Any:
        raise AssertionError

    async def send(message: Any) -> None:
        raise AssertionError

    shared = {"version": "3.0", "spec_version": "2.5"}
    scope = {"type": "http", "asgi": shared}
    assert anyio.run(as_asgi3(app), scope, receive, send) == "returned"
    assert calls == [scope, (receive, send)]
    assert scope["asgi"] == {"version": "2.0", "spec_version": "2.5"}
    assert shared["version"] == "3.0"


def test_on_every_row(serve: Serve, row: Row) -> None:
    for name in ("Application", "lazy"):
        server = serve(app=f"{APP}:{name}", row=row)
        with server.connect() as client:
            client.request("/path", "POST", content=b"content")
            answer = json.loads(client.response().body)
        assert answer == {"path": "/path", "version": "2.0", "size": 7}
        assert server.stop() == 0
        assert server.stdout.matching("# lifespan: startup")
        assert server.stdout.matching("# lifespan: shutdown")
        assert not server.stderr.matching("ERROR")
