"""The cancellation of an application whose time is over, in the pure driver."""

from __future__ import annotations

import anyio
import pytest

from esg.asgi import Receive, Scope, Send
from tests.pure.driver import GET, answer, driving

pytestmark = pytest.mark.anyio


async def test_an_application_in_time_is_left_alone() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, b"in time")

    async with driving(app, timeout_request=30) as driven, driven.client() as client:
        for _ in range(2):
            await client.send(GET)
            assert await client.response() == (200, b"in time")


async def test_an_application_out_of_time_is_cancelled() -> None:
    ended: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            ended.append("cancelled")
            raise

    async with driving(app, timeout_request=0.1) as driven, driven.client() as client:
        await client.send(GET)
        assert (await client.response())[0] == 503
    assert ended == ["cancelled"]


async def test_the_servers_end_is_no_matter_of_time() -> None:
    """A cancellation from outside stays one."""
    waiting = anyio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        waiting.set()
        await anyio.sleep_forever()

    settings = {"timeout_request": 30.0, "timeout_graceful_shutdown": 0.1}
    async with driving(app, **settings) as driven, driven.client() as client:
        await client.send(GET)
        await waiting.wait()
        driven.server.service.stop.set()
        with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
            await client.response()
