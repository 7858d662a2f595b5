"""What level trace logs: every message, contents as sizes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from esg.asgi import ASGIApp, Message, Receive, Scope, Send
from esg.logs import TRACE
from esg.message_trace import trace_messages

pytestmark = pytest.mark.anyio
SECRET = b"secret content"


@pytest.fixture(autouse=True)
def _level(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(TRACE, "esg"):
        yield


async def receive() -> Message:
    """Give a piece of content."""
    return {"type": "http.request", "body": SECRET, "more_body": False}


async def send(message: Message) -> None:
    """Take a message."""


async def run(app: ASGIApp, scope: Scope | None = None) -> Any:
    return await trace_messages(app)(scope or {"type": "http", "state": {"a": 1}}, receive, send)


async def test_every_message_in_order(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = (await receive())["body"]
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": memoryview(body)})

    await run(app)
    assert caplog.messages == [
        "http #1 started {'type': 'http', 'state': <1 keys>}",
        "http #1 received {'type': 'http.request', 'body': <14 bytes>, 'more_body': False}",
        "http #1 sent {'type': 'http.response.start', 'status': 200}",
        "http #1 sent {'type': 'http.response.body', 'body': <14 bytes>}",
        "http #1 returned",
    ]
    assert {record.levelno for record in caplog.records} == {TRACE}


async def test_text_counts_characters(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.send", "text": "né", "bytes": None})

    await run(app)
    assert caplog.messages[1].endswith(
        "{'type': 'websocket.send', 'text': <2 characters>, 'bytes': None}"
    )


async def test_wrong_messages_are_shown_as_they_are(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(["no", "dict\n"])  # type: ignore[arg-type]

    await run(app)
    assert caplog.messages[1] == "http #1 sent ['no', 'dict\\n']"


async def test_errors_pass_and_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        await run(app)
    assert caplog.messages[-1] == "http #1 raised ValueError('mine')"


async def test_results_pass() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> str:
        return "result"

    assert await run(app) == "result"


async def test_calls_are_numbered(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None: ...

    traced = trace_messages(app)
    for _ in range(2):
        await traced({"type": "http"}, receive, send)
    assert [m.split()[1] for m in caplog.messages] == ["#1", "#1", "#2", "#2"]
    assert logging.getLevelName(TRACE) == "TRACE"
