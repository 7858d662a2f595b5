"""The memory that one WebSocket client can take, whatever it sends and however little it reads."""

from __future__ import annotations

import zlib

import pytest

from tests.conformance.websocket_frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    RSV1,
    TEXT,
    frame,
)
from tests.conftest import Serve
from tests.hardening.memory import BOUND, MEBIBYTE, Growth
from tests.hardening.throwing import throw_repeatedly
from tests.rows import Row
from tests.server import ServerProcess
from tests.websocket_client import OPENING, WebSocket

TOTAL = 256 * MEBIBYTE
GIBIBYTE = 1024 * MEBIBYTE
LARGEST = MEBIBYTE
TOO_BIG = 1009
# What the kernel holds of both directions of one connection, and then some.
IN_FLIGHT = 32 * MEBIBYTE
DEFLATE = (("Sec-WebSocket-Extensions", "permessage-deflate"),)


@pytest.fixture(scope="module")
def server(serve_module: Serve, row: Row) -> ServerProcess:
    """Return a server of every row that has served a WebSocket before."""
    options = ("--no-access-log", "--ws-max-size", str(LARGEST))
    started = serve_module(*options, app="tests.apps.besieged:app", row=row)
    for fields in ((), DEFLATE):
        with WebSocket(started.address) as client:
            client.open(fields=fields)
            client.send_frame(BINARY, bytes(LARGEST))
            client.next_frame()
            client.send_close()
            client.next_close()
    return started


def close_code(client: WebSocket) -> int:
    """Read up to the server's close frame."""
    while (found := client.next_frame()).opcode != CLOSE:
        pass
    return int.from_bytes(found.payload[:2], "big")


def serves(server: ServerProcess) -> bool:
    """Tell whether somebody else is served."""
    with WebSocket(server.address) as client:
        client.open()
        client.send_text("hello")
        return client.next_text() == "hello"


@pytest.mark.parametrize("opcode", [TEXT, BINARY], ids=["text", "binary"])
def test_frame_that_claims_a_gibibyte(server: ServerProcess, opcode: int) -> None:
    """Its header is enough to refuse it; what follows is thrown away."""
    growth = Growth(server)
    with WebSocket(server.address) as client:
        client.open()
        client.send(frame(opcode, b"", length=GIBIBYTE))
        assert close_code(client) == TOO_BIG
        throw_repeatedly(client, bytes(MEBIBYTE), TOTAL)
    assert growth.size < BOUND
    assert serves(server)


def test_frames_that_claim_what_is_allowed(server: ServerProcess) -> None:
    """Nothing is taken for what has not come."""
    growth = Growth(server)
    clients = [WebSocket(server.address) for _ in range(100)]
    for client in clients:
        client.open()
        client.send(frame(BINARY, b"", length=LARGEST) + frame(PING)[:1])
    assert serves(server)
    assert growth.size < BOUND
    for client in clients:
        client.close()


@pytest.mark.parametrize(
    ("opcode", "payload", "count"),
    [
        pytest.param(BINARY, b"x", 100_000, id="binary-of-one-byte"),
        *(
            pytest.param(*kind, 1_000_000, id=name, marks=pytest.mark.exhaustive)
            for name, kind in {
                "many-binary-of-one-byte": (BINARY, b"x"),
                "many-binary-of-nothing": (BINARY, b""),
                "many-text-of-one-byte": (TEXT, b"x"),
                "many-text-of-nothing": (TEXT, b""),
            }.items()
        ),
    ],
)
def test_fragments_without_an_end(
    server: ServerProcess, opcode: int, payload: bytes, count: int
) -> None:
    """A message costs what it holds, in however many pieces it comes; a ping shows the way."""
    growth = Growth(server)
    fragment = frame(CONTINUATION, payload, fin=False)
    with WebSocket(server.address) as client:
        client.open()
        client.send_frame(opcode, fin=False)
        taken = throw_repeatedly(client, fragment * 1000, count * len(fragment))
        client.socket.settimeout(250)
        if len(payload) * taken // len(fragment) > LARGEST:
            assert close_code(client) == TOO_BIG
        else:
            client.send_frame(PING, b"there")
            assert client.next_frame().payload == b"there"
    assert growth.size < BOUND // 4
    assert serves(server)


def test_pings_whose_pongs_nobody_reads(server: ServerProcess) -> None:
    growth = Growth(server)
    with WebSocket(server.address) as client:
        client.open()
        assert throw_repeatedly(client, frame(PING, bytes(125)) * 1000, TOTAL) < IN_FLIGHT
        assert growth.size < BOUND
        client.reset()
    assert serves(server)


@pytest.mark.parametrize("opcode", [TEXT, BINARY], ids=["text", "binary"])
def test_a_gibibyte_compressed(server: ServerProcess, opcode: int) -> None:
    """It is inflated no further than a message may be large."""
    deflater = zlib.compressobj(9, wbits=-15)
    part = deflater.compress(bytes(MEBIBYTE)) + deflater.flush(zlib.Z_FULL_FLUSH)
    growth = Growth(server)
    with WebSocket(server.address) as client:
        client.open(fields=DEFLATE)
        throw_repeatedly(client, frame(opcode, part * 1024, rsv=RSV1)[:-4], 2 * MEBIBYTE)
        assert close_code(client) == TOO_BIG
    assert growth.size < BOUND
    assert serves(server)


def test_compressed_messages_that_nobody_receives(server: ServerProcess) -> None:
    """What waits for the application is bounded by what it is, not by what it was on the wire."""
    deflater = zlib.compressobj(9, wbits=-15)
    content = deflater.compress(bytes(LARGEST)) + deflater.flush(zlib.Z_FULL_FLUSH)
    growth = Growth(server)
    since = len(server.stdout())
    with WebSocket(server.address) as client:
        client.open("/slow", DEFLATE)
        server.stdout.wait_for("slow: waiting", since=since)
        messages = frame(BINARY, content[:-4], rsv=RSV1) * 64
        assert throw_repeatedly(client, messages, TOTAL) < IN_FLIGHT
        assert growth.size < BOUND
        client.reset()
        server.open_gate()
        server.stdout.wait_for("slow: .*disconnect", since=since)
    assert serves(server)


@pytest.mark.parametrize(
    ("target", "size"),
    [
        pytest.param("/slow", 60_000, id="large-accepted"),
        pytest.param("/hang", 0, id="empty-before-the-accept"),
        pytest.param("/slow", 0, id="empty-accepted", marks=pytest.mark.exhaustive),
        pytest.param("/hang", 60_000, id="large-before-the-accept", marks=pytest.mark.exhaustive),
    ],
)
def test_messages_that_nobody_receives(server: ServerProcess, target: str, size: int) -> None:
    """The client is held back."""
    growth = Growth(server)
    since = len(server.stdout())
    with WebSocket(server.address) as client:
        client.request(target, fields=OPENING)
        server.stdout.wait_for(f"{target[1:]}: waiting", since=since)
        messages = frame(BINARY, bytes(size)) * (1 + MEBIBYTE // (size + 6))
        assert throw_repeatedly(client, messages, TOTAL) < IN_FLIGHT
        assert growth.size < BOUND
        client.reset()
        if target == "/slow":
            server.open_gate()
    assert serves(server)


def test_messages_that_nobody_reads(server: ServerProcess) -> None:
    """An application that never stops sending is held back."""
    growth = Growth(server)
    since = len(server.stdout())
    with WebSocket(server.address) as client:
        client.open("/pour")
        server.stdout.wait_for("pour: blocked", since=since)
        assert growth.size < BOUND
        client.reset()
    server.stdout.wait_for("pour: ClientDisconnected", since=since)
    assert serves(server)


def test_sending_on_after_a_reset(server: ServerProcess) -> None:
    """An application that does not heed the error is told again, and nothing piles up."""
    growth = Growth(server)
    since = len(server.stdout())
    with WebSocket(server.address) as client:
        client.open("/insist")
        client.reset()
    server.stdout.wait_for(r"insist: \d+ refused", since=since)
    assert growth.size < BOUND
    assert serves(server)
