"""What passes between server and application, recorded without being changed."""

from __future__ import annotations

import threading

import anyio
import httpx
import pytest

from esg.asgi import Receive, Scope, Send
from esg.testing import assert_same_traces, available_rows, record, serve, validate
from tests.testing.calls import (
    BODY,
    DISCONNECT,
    MORE,
    RECEIVE,
    REQUEST,
    START,
    call,
    http_scope,
    lifespan_scope,
    sending,
)


def test_records_both_directions() -> None:
    app = record(sending(RECEIVE, START, MORE, BODY))
    scope = http_scope()
    assert call(app, scope, [REQUEST]) == [START, MORE, BODY]
    (trace,) = app.traces
    assert trace.name == "GET /é"
    assert (trace.received, trace.sent) == ([REQUEST], [START, MORE, BODY])
    assert trace.end == "returned"
    assert trace.refused == []


def test_the_scope_is_the_servers() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> str:
        scope["router"] = scope["path"] = "mine"
        return "a value"

    recorded = record(app)
    call(recorded, lifespan_scope())
    assert "router" not in recorded.traces[0].scope


def test_headers_that_can_be_read_only_once() -> None:
    headers = iter([(b"a", b"b")])
    app = record(sending({**START, "headers": headers}))
    assert call(app, http_scope())[0]["headers"] == [(b"a", b"b")]
    assert app.traces[0].sent[0]["headers"] == [(b"a", b"b")]


def test_what_the_server_refuses() -> None:
    app = record(sending(START, BODY))
    with pytest.raises(BrokenPipeError):
        call(app, http_scope(), lost_after=1)
    (trace,) = app.traces
    assert trace.sent == [START]
    assert trace.refused[0][0] == BODY
    assert trace.end == "raised BrokenPipeError: the client is gone"


def test_a_cancelled_call() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await anyio.sleep_forever()

    async def run() -> None:
        with anyio.move_on_after(0):
            await recorded(http_scope(), receive, send)

    async def receive() -> Scope:
        return DISCONNECT

    async def send(message: Scope) -> None:
        raise AssertionError

    recorded = record(app)
    anyio.run(run)
    assert recorded.traces[0].end == "cancelled"


def test_wait_for_a_call_that_ends() -> None:
    app = record(sending(START, BODY))
    thread = threading.Thread(target=call, args=(app, http_scope()))
    thread.start()
    assert app.wait_for("GET /é").end == "returned"
    thread.join()
    call(app, http_scope())
    assert app.wait_for("GET /é", count=2) is app.traces[1]


def test_wait_for_a_call_that_does_not_end() -> None:
    app = record(sending(START))
    call(app, lifespan_scope())
    with pytest.raises(AssertionError, match=r"1 calls 'GET /' have not .* there were: lifespan$"):
        app.wait_for("GET /", timeout=0)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Send content back as it comes; name the server's port."""
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    location = f"http://127.0.0.1:{scope['server'][1]}/".encode()
    await send({**START, "headers": [(b"location", location)]})
    more = True
    while more:
        message = await receive()
        more = message.get("more_body", False)
        await send({**BODY, "body": message.get("body", b""), "more_body": more})


def test_traces_are_the_same_on_every_row() -> None:
    traces = {}
    for row in available_rows():
        app = record(validate(echo))
        with serve(app, row) as server:
            assert httpx.get(server.url).status_code == 200
            content = b"0123456789" * 50_000
            assert httpx.post(f"{server.url}/post", content=content).content == content
        traces[row] = app.traces
    names = [trace.name for trace in traces["pure-asyncio"]]
    assert names == ["lifespan", "GET /", "POST /post"]
    assert_same_traces(traces)
