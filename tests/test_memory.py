"""Backpressure, as the memory of the server process shows it: bounded, whatever passes through.

What clients do that mean harm is in tests/hardening.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.client import Connection
from tests.conftest import Serve
from tests.hardening.memory import MEBIBYTE, Growth
from tests.rows import Row
from tests.server import ServerProcess

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


@pytest.fixture(scope="module", autouse=True)
def _silent(server: ServerProcess) -> Iterator[None]:
    """See that no test of this module made the server complain."""
    yield
    assert not server.stderr.matching("ERROR")
