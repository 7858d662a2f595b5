"""Backpressure, as the memory of the server process shows it: bounded, whatever passes through."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.client import Connection
from tests.conftest import Serve
from tests.rows import Row
from tests.server import ServerProcess

MEBIBYTE = 2**20
GIBIBYTE = 2**30
# How much the peak of a server's memory may lie above what it had before.
BOUND = 32 * MEBIBYTE
BLOCK = b"m" * MEBIBYTE


@pytest.fixture(scope="module")
def server(serve_module: Serve, row: Row) -> ServerProcess:
    """Return a server of every row that has served requests of every kind already."""
    started = serve_module("--timeout-write", "0", "--timeout-graceful-shutdown", "1", row=row)
    with started.connect() as client:
        client.request("/echo", "POST", content=BLOCK)
        assert len(client.response().body) == MEBIBYTE
    return started


class Growth:
    """The growth of a process's peak memory since a moment."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._before = server.memory("VmRSS")

    @property
    def size(self) -> int:
        """The growth in bytes."""
        return self._server.memory("VmHWM") - self._before


def send_content(client: Connection, blocks: int) -> None:
    for _ in range(blocks):
        client.send(BLOCK)


def test_upload_of_a_gibibyte(server: ServerProcess) -> None:
    growth = Growth(server)
    with server.connect() as client:
        client.request("/count", "POST", [("Content-Length", str(GIBIBYTE))])
        send_content(client, GIBIBYTE // MEBIBYTE)
        assert client.response().body == str(GIBIBYTE).encode()
    assert growth.size < BOUND


def test_chunked_upload_of_a_quarter_gibibyte(server: ServerProcess) -> None:
    growth = Growth(server)
    chunk = b"%x\r\n%b\r\n" % (len(BLOCK), BLOCK)
    with server.connect() as client:
        client.request("/count", "POST", [("Transfer-Encoding", "chunked")])
        for _ in range(256):
            client.send(chunk)
        client.send(b"0\r\n\r\n")
        assert client.response().body == str(256 * MEBIBYTE).encode()
    assert growth.size < BOUND


def test_download_of_a_gibibyte_by_a_slow_reader(server: ServerProcess) -> None:
    """A small window makes send() wait for the client again and again."""
    growth = Growth(server)
    with server.connect(receive_buffer=262_144) as client:
        client.request(f"/big?{GIBIBYTE}")
        answer = client.start_response()
        buffer = bytearray(131_072)
        left = GIBIBYTE
        while left and (size := answer.readinto(buffer)):
            left -= size
        assert left == 0
    server.stdout.wait_for("# big: sent")
    assert growth.size < BOUND


def test_upload_to_an_app_that_never_receives(server: ServerProcess) -> None:
    """The kernel's buffers fill up, and the server does not empty them into its own."""
    growth = Growth(server)
    with server.connect() as client:
        client.request("/early", "POST", [("Content-Length", str(64 * MEBIBYTE))])
        server.stdout.wait_for("# early: waiting")
        client.socket.settimeout(0.5)
        with pytest.raises(TimeoutError):
            send_content(client, 64)
        assert growth.size < 4 * MEBIBYTE
        server.open_gate()
        client.socket.settimeout(15)
        assert client.response().body == b"early"


def test_answers_that_nobody_reads(server: ServerProcess) -> None:
    """A client that pipelines requests and reads no answer is soon not read any more."""
    growth = Growth(server)
    requests = b"GET /big?1000000 HTTP/1.1\r\nHost: test\r\n\r\n" * 20_000
    with server.connect() as client:
        client.socket.settimeout(0.5)
        with pytest.raises(TimeoutError):
            client.send(requests * 16)
        assert growth.size < 8 * MEBIBYTE
        client.reset()


@pytest.fixture(scope="module", autouse=True)
def _silent(server: ServerProcess) -> Iterator[None]:
    """See that no test of this module made the server complain."""
    yield
    assert not server.stderr.matching("ERROR")
