"""ESG itself under its validator: every scope and message of every row, and its own examples."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from esg.asgi import ASGIApp, Message, Receive, Scope, Send
from esg.testing import LiveServer, available_rows, record, serve, validate
from examples import demo, factory, hello, streaming, upload_echo, websocket_echo
from tests.client import Connection
from tests.testing.calls import BODY, MORE, RECEIVE, START, sending

LARGE = b"0123456789" * 30_000


@pytest.fixture(params=available_rows())
def row(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


async def lifespan(scope: Scope, receive: Receive, send: Send) -> None:
    """Start and stop, with something in the state."""
    scope["state"]["pool"] = "open"
    for _ in range(2):
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})


async def read_to_the_end(receive: Receive) -> None:
    """Receive until the server has said three times that there is no more."""
    disconnects = 0
    while disconnects < 3:
        disconnects += (await receive())["type"] == "http.disconnect"


async def asks_on(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer without a look at the content, then go on receiving."""
    await sending(START, BODY)(scope, receive, send)
    await read_to_the_end(receive)


async def asks_first(scope: Scope, receive: Receive, send: Send) -> None:
    """Receive until the client has left, then try to answer."""
    await read_to_the_end(receive)
    await sending(START, BODY)(scope, receive, send)


async def trails(scope: Scope, receive: Receive, send: Send) -> None:
    """Use what extensions there are."""
    start: Message = {**START, "headers": [(b"trailer", b"x-sum")], "trailers": True}
    hint = {"type": "http.response.early_hint", "links": [b"</a.css>; rel=preload; as=style"]}
    trailers = {"type": "http.response.trailers", "headers": [(b"x-sum", b"1")]}
    await sending(start, hint, MORE, BODY, trailers)(scope, receive, send)


ROUTES: dict[str, ASGIApp] = {
    "/asks-on": asks_on,
    "/asks-first": asks_first,
    "/trails": trails,
    "/one": sending(RECEIVE, START, BODY),
}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Do what the path says."""
    chosen = lifespan if scope["type"] == "lifespan" else ROUTES[scope["path"]]
    await chosen(scope, receive, send)


recorded = record(validate(app))


@pytest.fixture
def server(row: str) -> Iterator[LiveServer]:
    recorded.traces.clear()
    with serve(recorded, row, lifespan="on") as server:
        yield server


@pytest.fixture
def client(server: LiveServer) -> Iterator[Connection]:
    with Connection(("127.0.0.1", server.port)) as connection:
        yield connection


def test_a_pipeline(client: Connection) -> None:
    client.send(
        b"POST /one HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
        b"GET /one?a=%20 HTTP/1.1\r\nHOST: a\r\nX-Two: 1\r\nx-two: 2\r\n\r\n"
        b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    )
    assert [client.response().status for _ in range(2)] == [200, 200]
    # "*" is none of the routes.
    assert client.response().status == 500
    assert recorded.traces[1].received[0]["body"] == b"abc"


def test_http_1_0(client: Connection) -> None:
    client.send(b"GET /one HTTP/1.0\r\n\r\n")
    assert client.response().body == b"x"
    assert recorded.wait_for("GET /one").scope["http_version"] == "1.0"


def test_content_in_chunks_with_trailers(client: Connection) -> None:
    client.send(b"POST /asks-on HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    client.send(b"3\r\nabc\r\n")
    assert client.response().status == 200
    assert recorded.wait_for("POST /asks-on").end == "returned"


def test_a_client_that_leaves_while_it_is_read(client: Connection) -> None:
    client.send(b"POST /asks-first HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
    client.close()
    assert recorded.wait_for("POST /asks-first").end is not None


def test_a_client_that_only_closes_its_side(client: Connection) -> None:
    client.request("/asks-first")
    client.finish_writing()
    assert client.response().body == b"x"


def test_extensions(server: LiveServer, client: Connection) -> None:
    offered = {"http.response.trailers", "http.response.early_hint"}
    client.request("/trails", fields=[("TE", "trailers"), ("Connection", "TE, close")])
    shown = client.read_to_end()
    assert offered <= recorded.wait_for("GET /trails").scope["extensions"].keys()
    assert b"103" in shown
    assert shown.endswith(b"0\r\nx-sum: 1\r\n\r\n")


@pytest.mark.parametrize(
    ("example", "method", "path"),
    [
        (hello.app, "GET", "/"),
        (hello.app, "HEAD", "/"),
        (streaming.app, "GET", "/"),
        (upload_echo.app, "POST", "/"),
        (factory.create_app(), "GET", "/"),
        (demo.app, "GET", "/"),
        (demo.app, "GET", "/api/stream?interval=0"),
        (demo.app, "POST", "/api/upload"),
        (demo.app, "GET", "/nothing"),
    ],
)
def test_examples(
    example: ASGIApp, method: str, path: str, row: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "INTERVAL", 0)
    with serve(validate(example, strict=True), row) as server:
        content = LARGE if method == "POST" else None
        answered = httpx.request(method, f"{server.url}{path}", content=content)
        assert answered.status_code in (200, 404)


def test_an_endless_example(row: str) -> None:
    example = record(validate(demo.app, strict=True))
    with serve(example, row) as server:
        with httpx.stream("GET", f"{server.url}/api/events") as response:
            assert next(response.iter_raw())
        assert example.wait_for("GET /api/events").end is not None


ACCEPT: Message = {"type": "websocket.accept", "subprotocol": "chat", "headers": [(b"a", b"b")]}


async def talks(scope: Scope, receive: Receive, send: Send) -> None:
    """Send messages back; leave it to "bye" to close, and to "leave" to just return."""
    await sending(RECEIVE, ACCEPT)(scope, receive, send)
    while (message := await receive())["type"] == "websocket.receive":
        if message.get("text") == "leave":
            return
        if message.get("text") == "bye":
            await send({"type": "websocket.close", "code": 4000, "reason": "bye"})
        else:
            await send({**message, "type": "websocket.send"})
    assert (await receive())["type"] == "websocket.disconnect"


async def denies(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer the opening handshake with a response of its own, where that can be done."""
    await receive()
    if scope["path"] == "/refuse" or "websocket.http.response" not in scope["extensions"]:
        await send({"type": "websocket.close"})
    else:
        await send({"type": "websocket.http.response.start", "status": 404})
        await send({"type": "websocket.http.response.body", "body": b"no"})
    assert (await receive())["type"] == "websocket.disconnect"


ROUTES |= {"/talk": talks, "/deny": denies, "/refuse": denies}


@pytest.fixture
def talk(server: LiveServer) -> Iterator[ClientConnection]:
    url = f"ws://127.0.0.1:{server.port}/talk"
    with connect(url, subprotocols=[Subprotocol("other"), Subprotocol("chat")]) as websocket:
        yield websocket


def test_a_websocket_that_the_application_closes(talk: ClientConnection) -> None:
    assert talk.subprotocol == "chat"
    for message in ("é" * 70_000, b"", b"\x00\xff", ""):
        talk.send(message)
        assert talk.recv() == message
    talk.send("bye")
    with pytest.raises(ConnectionClosed):
        talk.recv()
    assert talk.close_code == 4000
    trace = recorded.wait_for("websocket /talk")
    assert (trace.end, trace.received[-1]["code"]) == ("returned", 4000)


def test_a_websocket_that_the_client_closes(talk: ClientConnection) -> None:
    talk.close(4001, "é")
    trace = recorded.wait_for("websocket /talk")
    assert trace.end == "returned"
    assert trace.received[-1] == {"type": "websocket.disconnect", "code": 4001, "reason": "é"}
    own = {"esg.server", "esg.shutdown", "websocket.http.response"}
    assert trace.scope["extensions"].keys() == own


def test_a_websocket_that_is_lost(talk: ClientConnection) -> None:
    talk.socket.shutdown(socket.SHUT_RDWR)
    trace = recorded.wait_for("websocket /talk")
    assert (trace.end, trace.received[-1]["code"]) == ("returned", 1006)


def test_a_websocket_whose_application_returns(talk: ClientConnection) -> None:
    talk.send("leave")
    with pytest.raises(ConnectionClosed):
        talk.recv()
    assert recorded.wait_for("websocket /talk").end == "returned"


@pytest.mark.parametrize(("path", "status"), [("/deny", 404), ("/refuse", 403)])
def test_a_websocket_that_is_denied(path: str, status: int, server: LiveServer) -> None:
    url = f"ws://127.0.0.1:{server.port}{path}"
    with pytest.raises(InvalidStatus) as raised, connect(url):
        pytest.fail("it must not open")
    assert raised.value.response.status_code == status
    assert recorded.wait_for(f"websocket {path}").end == "returned"


@pytest.mark.parametrize(
    ("example", "path"),
    [(websocket_echo.app, "/"), (demo.app, "/api/echo")],
    ids=["websocket_echo", "demo"],
)
def test_websocket_examples(example: ASGIApp, path: str, row: str) -> None:
    with (
        serve(validate(example, strict=True), row) as server,
        connect(f"ws://127.0.0.1:{server.port}{path}") as websocket,
    ):
        websocket.send("é")
        assert websocket.recv() == "é"
