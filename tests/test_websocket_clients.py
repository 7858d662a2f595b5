"""WebSocket clients as people use them, against a real server."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Self

import aiohttp
import httpx_ws
import pytest
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    Request,
    TextMessage,
)
from wsproto.extensions import PerMessageDeflate

from tests.apps.websocket_paths import PUSHED
from tests.conftest import Serve
from tests.rows import Row
from tests.server import ServerProcess

APP = "tests.apps.websocket_paths:app"
# Seconds; what takes longer is taken for a hang. Generous: the machine may be busy.
BOUND = 60.0
MEBIBYTE = 2**20
TEXT = "Grüße, 世界 👋"


@pytest.fixture(scope="module")
def server(serve_module: Serve, row: Row) -> ServerProcess:
    """Return a server of every row."""
    return serve_module("--no-access-log", row=row, app=APP)


def url(server: ServerProcess, path: str = "/echo") -> str:
    """Return the URL of a path as clients of WebSocket take it."""
    return server.url.replace("http", "ws", 1) + path


def noise(size: int) -> bytes:
    """Return bytes that cannot be compressed, the same every time."""
    return random.Random(size).randbytes(size)


MESSAGES: tuple[str | bytes, ...] = (
    *(TEXT, "", b"", b"\x00\xff", "x" * 125, "x" * 126, "x" * 65_535, "x" * 65_536),
    *(noise(4096), noise(MEBIBYTE), b"c" * (3 * MEBIBYTE)),
)


# --- websockets ------------------------------------------------------------------------------


@pytest.mark.parametrize("compression", ["deflate", None])
def test_websockets_gets_back_what_it_sends(server: ServerProcess, compression: str | None) -> None:
    with connect(url(server), compression=compression, max_size=None) as client:
        names = [extension.name for extension in client.protocol.extensions]
        assert names == ([] if compression is None else ["permessage-deflate"])
        for message in MESSAGES:
            client.send(message)
            assert client.recv(BOUND) == message


def test_websockets_sends_before_it_reads(server: ServerProcess) -> None:
    with connect(url(server)) as client:
        for number in range(500):
            client.send(str(number))
        assert [client.recv(BOUND) for _ in range(500)] == [str(n) for n in range(500)]


def test_websockets_sends_in_fragments(server: ServerProcess) -> None:
    def pieces() -> Iterator[str]:
        for number in range(100):
            yield f"{number} {TEXT} "

    with connect(url(server)) as client:
        client.send(pieces())
        assert client.recv(BOUND) == "".join(pieces())


def test_websockets_pings(server: ServerProcess) -> None:
    with connect(url(server)) as client:
        assert client.ping(b"payload").wait(BOUND)


def test_websockets_sees_the_handshake(server: ServerProcess) -> None:
    offered = [Subprotocol("one"), Subprotocol("two")]
    with connect(url(server), subprotocols=offered) as client:
        assert client.subprotocol == "two"
        assert client.response is not None
        assert client.response.headers["X-Served-By"] == "esg"
        assert client.response.headers["Date"]


def test_websockets_gets_the_scope(server: ServerProcess) -> None:
    headers = {"X-Name": "value", "Origin": "http://localhost"}
    with connect(url(server, "/scope?q=1"), additional_headers=headers) as client:
        shown = json.loads(client.recv(BOUND))
    assert (
        shown.items()
        >= {
            "type": "websocket",
            "scheme": "ws",
            "http_version": "1.1",
            "path": "/scope",
            "query_string": "q=1",
            "subprotocols": [],
        }.items()
    )
    assert shown["asgi"]["spec_version"] == "2.5"
    assert ["x-name", "value"] in shown["headers"]


@pytest.mark.parametrize(("code", "reason"), [(1000, ""), (4002, "réason"), (1013, "r" * 123)])
def test_websockets_is_told_why_it_ends(server: ServerProcess, code: int, reason: str) -> None:
    with connect(url(server, "/close")) as client:
        client.send(json.dumps([code, reason]))
        kind = ConnectionClosedOK if code == 1000 else ConnectionClosedError
        with pytest.raises(kind) as raised:
            client.recv(BOUND)
    assert raised.value.rcvd is not None
    assert (raised.value.rcvd.code, raised.value.rcvd.reason) == (code, reason)
    assert raised.value.rcvd_then_sent


def test_application_is_told_why_it_ends(server: ServerProcess) -> None:
    with connect(url(server)) as client:
        client.close(3001, "bÿe")
        assert client.close_code == 3001
    server.stdout.wait_for("# ended 3001 bÿe")


def test_application_is_told_of_a_lost_client(serve: Serve, row: Row) -> None:
    own = serve(row=row, app=APP)
    with connect(url(own)) as client:
        client.socket.shutdown(socket.SHUT_RDWR)
        own.stdout.wait_for("# ended 1006")


def test_websockets_is_refused(server: ServerProcess) -> None:
    with pytest.raises(InvalidStatus) as raised, connect(url(server, "/refuse")):
        pass
    assert raised.value.response.status_code == 403


def test_websockets_is_denied(server: ServerProcess) -> None:
    with pytest.raises(InvalidStatus) as raised, connect(url(server, "/deny")):
        pass
    response = raised.value.response
    assert (response.status_code, response.body) == (401, b"who are you?")
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_websockets_sees_that_the_application_failed(serve: Serve, row: Row) -> None:
    own = serve(row=row, app=APP)
    with connect(url(own, "/fail")) as client, pytest.raises(ConnectionClosedError) as raised:
        client.recv(BOUND)
    assert raised.value.rcvd is not None
    assert raised.value.rcvd.code == 1011
    own.stderr.wait_for("RuntimeError: as the test asks")


def test_websockets_reads_late(server: ServerProcess) -> None:
    """The server waits for it, and loses nothing."""
    with connect(url(server, "/push"), max_queue=1) as client:
        assert [client.recv(BOUND) for _ in PUSHED] == PUSHED


def test_websockets_is_told_that_the_server_stops(serve: Serve, row: Row) -> None:
    own = serve(row=row, app=APP)
    with ExitStack() as closing:
        clients = [closing.enter_context(connect(url(own))) for _ in range(5)]
        for client in clients:
            client.send("still there?")
            assert client.recv(BOUND) == "still there?"
        own.send_signal(signal.SIGTERM)
        for client in clients:
            with pytest.raises(ConnectionClosedError) as raised:
                client.recv(BOUND)
            assert raised.value.rcvd is not None
            assert raised.value.rcvd.code == 1012
        assert own.wait_exit() == 0
    assert len(own.stdout.matching("# ended 1012")) == 5


def test_websockets_many_at_once(server: ServerProcess) -> None:
    """50 clients with 40 messages each: every one gets its own back."""

    async def talk(name: int) -> list[str | bytes]:
        async with connect_async(url(server), open_timeout=BOUND) as client:
            answers = []
            for number in range(40):
                await client.send(f"{name}-{number}" * (1 + name * number % 50))
                answers.append(await client.recv())
            return answers

    async def all_talk() -> list[list[str | bytes]]:
        async with asyncio.timeout(2 * BOUND):
            return await asyncio.gather(*(talk(name) for name in range(50)))

    expected = [[f"{n}-{i}" * (1 + n * i % 50) for i in range(40)] for n in range(50)]
    assert asyncio.run(all_talk()) == expected


# --- aiohttp ---------------------------------------------------------------------------------


@pytest.mark.parametrize("compress", [0, 9, 15])
def test_aiohttp_gets_back_what_it_sends(server: ServerProcess, compress: int) -> None:
    async def talk() -> None:
        options: Any = {"compress": compress, "max_msg_size": 0, "protocols": ("one", "two")}
        async with (
            asyncio.timeout(2 * BOUND),
            aiohttp.ClientSession() as session,
            session.ws_connect(url(server), **options) as client,
        ):
            assert client.protocol == "two"
            assert bool(client.compress) is bool(compress)
            for message in MESSAGES:
                if isinstance(message, str):
                    await client.send_str(message)
                    assert await client.receive_str() == message
                else:
                    await client.send_bytes(message)
                    assert await client.receive_bytes() == message
            await client.send_json({"a": [1, None]})
            assert await client.receive_json() == {"a": [1, None]}
            await client.close(code=4001, message=b"done")
            assert client.close_code == 4001

    asyncio.run(talk())
    server.stdout.wait_for("# ended 4001 done")


def test_aiohttp_keeps_a_heartbeat(server: ServerProcess) -> None:
    async def talk() -> None:
        async with (
            asyncio.timeout(2 * BOUND),
            aiohttp.ClientSession() as session,
            session.ws_connect(url(server), autoping=False) as client,
        ):
            await client.ping(b"beat")
            answer = await client.receive()
            assert (answer.type, answer.data) == (aiohttp.WSMsgType.PONG, b"beat")

    asyncio.run(talk())


def test_aiohttp_is_told_why_it_ends(server: ServerProcess) -> None:
    async def talk() -> None:
        async with (
            asyncio.timeout(2 * BOUND),
            aiohttp.ClientSession() as session,
            session.ws_connect(url(server, "/close")) as client,
        ):
            await client.send_str(json.dumps([4002, "réason"]))
            last = await client.receive()
            assert (last.type, last.data, last.extra) == (aiohttp.WSMsgType.CLOSE, 4002, "réason")
            assert client.close_code == 4002

    asyncio.run(talk())


@pytest.mark.parametrize(("path", "status"), [("/refuse", 403), ("/deny", 401)])
def test_aiohttp_is_refused(server: ServerProcess, path: str, status: int) -> None:
    async def talk() -> None:
        async with asyncio.timeout(2 * BOUND), aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.WSServerHandshakeError) as raised:
                await session.ws_connect(url(server, path))
            assert raised.value.status == status
            # The refusal does not harm the session.
            async with session.ws_connect(url(server)) as client:
                await client.send_str("well?")
                assert await client.receive_str() == "well?"

    asyncio.run(talk())


# --- httpx-ws --------------------------------------------------------------------------------


def test_httpx_ws_gets_back_what_it_sends(server: ServerProcess) -> None:
    offered = ["one", "two"]
    client: httpx_ws.WebSocketSession
    with httpx_ws.connect_ws(
        f"{server.url}/echo", subprotocols=offered, max_message_size_bytes=4 * MEBIBYTE
    ) as client:
        assert client.subprotocol == "two"
        for message in MESSAGES:
            if isinstance(message, str):
                client.send_text(message)
                assert client.receive_text(BOUND) == message
            else:
                client.send_bytes(message)
                assert client.receive_bytes(BOUND) == message
        assert client.ping(b"beat").wait(BOUND)


def test_httpx_ws_is_told_why_it_ends(server: ServerProcess) -> None:
    client: httpx_ws.WebSocketSession
    with httpx_ws.connect_ws(f"{server.url}/close") as client:
        client.send_json([4002, "réason"])
        with pytest.raises(httpx_ws.WebSocketDisconnect) as raised:
            client.receive(BOUND)
    assert (raised.value.code, raised.value.reason) == (4002, "réason")


@pytest.mark.parametrize(("path", "status"), [("/refuse", 403), ("/deny", 401)])
def test_httpx_ws_is_refused(server: ServerProcess, path: str, status: int) -> None:
    with (
        pytest.raises(httpx_ws.WebSocketUpgradeError) as raised,
        httpx_ws.connect_ws(server.url + path),
    ):
        pass
    assert raised.value.response.status_code == status


# --- wsproto ---------------------------------------------------------------------------------


class WsprotoClient:
    """A blocking client around wsproto's connection."""

    def __init__(self, server: ServerProcess, request: Request) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=BOUND)
        self._connection = WSConnection(ConnectionType.CLIENT)
        self._events: Iterator[Event] = iter(())
        self.send(request)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._socket.close()

    def send(self, event: Event) -> None:
        """Send what an event becomes."""
        self._socket.sendall(self._connection.send(event))

    def next_event(self) -> Event:
        """Wait for the next event."""
        while (event := next(self._events, None)) is None:
            data = self._socket.recv(65_536)
            self._connection.receive_data(data or None)
            self._events = self._connection.events()
        return event

    def message(self) -> str | bytes:
        """Wait for the pieces of a message; return it."""
        pieces: list[str | bytes | bytearray] = []
        while True:
            event = self.next_event()
            assert isinstance(event, TextMessage | BytesMessage)
            pieces.append(event.data)
            if event.message_finished:
                break
        if isinstance(pieces[0], str):
            return "".join(piece for piece in pieces if isinstance(piece, str))
        return b"".join(piece for piece in pieces if not isinstance(piece, str))


@pytest.mark.parametrize("compressed", [True, False])
def test_wsproto_gets_back_what_it_sends(server: ServerProcess, compressed: bool) -> None:
    extensions = [PerMessageDeflate()] if compressed else []
    request = Request("localhost", "/echo", extensions=extensions, subprotocols=["one", "two"])
    with WsprotoClient(server, request) as client:
        accepted = client.next_event()
        assert isinstance(accepted, AcceptConnection)
        assert accepted.subprotocol == "two"
        assert bool(accepted.extensions) is compressed
        for message in MESSAGES:
            if isinstance(message, str):
                client.send(TextMessage(message))
            else:
                client.send(BytesMessage(message))
            assert client.message() == message
        client.send(CloseConnection(1000, "done"))
        closed = client.next_event()
        assert isinstance(closed, CloseConnection)
        assert closed.code == 1000


def test_wsproto_pings_between_fragments(server: ServerProcess) -> None:
    with WsprotoClient(server, Request("localhost", "/echo")) as client:
        assert isinstance(client.next_event(), AcceptConnection)
        client.send(TextMessage("one ", message_finished=False))
        client.send(Ping(b"beat"))
        assert client.next_event() == Pong(b"beat")
        client.send(TextMessage("message"))
        assert client.message() == "one message"


def test_wsproto_sends_with_the_handshake(server: ServerProcess) -> None:
    """What comes in one segment with the request is not lost."""
    connection = WSConnection(ConnectionType.CLIENT)
    handshake = connection.send(Request("localhost", "/echo"))
    with socket.create_connection(("127.0.0.1", server.port), timeout=BOUND) as client:
        # A masked text frame, its masking key all zeros.
        client.sendall(handshake + b"\x81\x85\0\0\0\0early")
        events: list[Event] = []
        while len(events) < 2:
            connection.receive_data(client.recv(65_536) or None)
            events += connection.events()
    assert isinstance(events[0], AcceptConnection)
    assert events[1] == TextMessage("early")


def test_threads_share_a_connection(server: ServerProcess) -> None:
    """One sends while another reads, as in a program that is fed from two sides."""
    count = 2000
    answers: list[str | bytes] = []

    def read(client: ClientConnection) -> None:
        answers.extend(client.recv(BOUND) for _ in range(count))

    with connect(url(server)) as client:
        reader = threading.Thread(target=read, args=(client,))
        reader.start()
        for number in range(count):
            client.send(str(number))
        reader.join(BOUND)
    assert answers == [str(number) for number in range(count)]
