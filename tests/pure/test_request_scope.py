"""What the pure driver puts into a scope; the rest is `rules.scope`."""

from __future__ import annotations

import pytest

from esg.asgi import Receive, Scope, Send
from tests.pure.driver import GET, answer, driving

pytestmark = pytest.mark.anyio


async def test_scope_of_a_request() -> None:
    scopes: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)
        await answer(send, b"")

    async with driving(app, root_path="/api") as driven, driven.client() as client:
        await client.send(GET)
        await client.response()
    (scope,) = scopes
    assert (scope["type"], scope["scheme"], scope["root_path"]) == ("http", "http", "/api")
    assert scope["server"][0] == scope["client"][0] == "127.0.0.1"
    assert "esg.server" in scope["extensions"]
