"""What the logs tell of WebSockets, and `--ws`, on every row."""

from __future__ import annotations

import pytest

from tests.conftest import Serve
from tests.rows import Row
from tests.server import ServerProcess
from tests.websocket_client import WebSocket

SOCKETS = "tests.apps.sockets:app"
DEFLATE = ("Sec-WebSocket-Extensions", "permessage-deflate")


@pytest.fixture(scope="module")
def server(serve_module: Serve, row: Row) -> ServerProcess:
    """Return a server of every row."""
    return serve_module(app=SOCKETS, row=row)


@pytest.mark.parametrize(
    ("target", "status"), [("/echo", 101), ("/refuse", 403), ("/deny", 401), ("/silent", 500)]
)
def test_access_log_has_the_outcome(server: ServerProcess, target: str, status: int) -> None:
    with WebSocket(server.address) as client:
        assert client.ask(f"{target}?{status}").status == status
    server.stdout.wait_for(rf'"GET {target}\?{status} HTTP/1.1" {status}$')


def test_access_log_has_the_details(serve: Serve, row: Row) -> None:
    form = "%(s)s %(B)s %({x-why}o)s <"
    server = serve("--access-log-format", form, app=SOCKETS, row=row)
    for target in ("/deny", "/refuse", "/echo"):
        with WebSocket(server.address) as client:
            client.ask(target)
    server.stdout.wait_for("^401 6 because <$")
    server.stdout.wait_for("^403 9 - <$")
    server.stdout.wait_for("^101 0 - <$")


def test_trace_shows_messages_and_frames(serve: Serve, row: Row) -> None:
    server = serve("--log-level", "trace", app=SOCKETS, row=row)
    with WebSocket(server.address) as client:
        client.open()
        client.send_text("secret")
        assert client.next_text() == "secret"
        client.send_close(1000)
        assert client.next_close() == (1000, "")
    for shown in (
        "websocket frames #1 < text of 6 characters",
        "received {'type': 'websocket.receive', 'text': <6 characters>}",
        "sent {'type': 'websocket.send', 'text': <6 characters>}",
        "websocket frames #1 > text of 6 characters in 8 bytes",
        "websocket frames #1 < close 1000 ''",
    ):
        server.stderr.wait_for(shown.replace("{", r"\{"))
    assert not server.stderr.matching("secret")


@pytest.mark.parametrize("codec", ["wsproto", "websockets"])
def test_codecs(serve: Serve, row: Row, codec: str) -> None:
    server = serve("--ws", codec, app=SOCKETS, row=row)
    with WebSocket(server.address) as client:
        assert client.open("/echo", [DEFLATE]).field("sec-websocket-extensions")
        for text in ("", "hello", "é" * 10):
            client.send_text(text)
            assert client.next_text() == text
        client.send_close(3001, "bye")
        assert client.next_close() == (3001, "")
        assert client.at_end()
    server.stdout.wait_for("# echo: disconnect 3001 'bye'")
