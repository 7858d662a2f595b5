"""Nothing that a client chooses reaches a log or a terminal unescaped, whatever is logged."""

from __future__ import annotations

import re
import ssl
from contextlib import suppress
from pathlib import Path

import pytest

from tests.certificates import Authority
from tests.conftest import Serve
from tests.rows import Row
from tests.server import ServerProcess
from tests.websocket_client import OPENING, WebSocket

APP = "tests.apps.faulty:app"
# What clears a terminal, rings its bell, ends a line and begins another that looks like ours.
HOSTILE = b"\x1b[2J\x07\x9b31m\x85\r\nERROR:    forged\r\n\x00\xe2\x80\xa8\xc2\x9b"
ESCAPED = "".join(f"%{octet:02x}" for octet in HOSTILE)
EVERY_ATOM = (
    "%(h)s %(l)s %(u)s %(t)s %(r)s %(m)s %(U)s %(q)s %(H)s %(s)s %(B)s %(b)s %(f)s %(a)s %(T)s "
    "%(client_addr)s %(request_line)s %({x-hostile}i)s %({x-echo}o)s"
)
# Of a record of our own, of the application's report, or what is behind the first line of a record.
LINE = re.compile(r"(TRACE|DEBUG|INFO|WARNING|ERROR|CRITICAL): +\S|#|    ")


def written(server: ServerProcess) -> list[str]:
    """Stop the server and return its lines, of which none may be another's."""
    assert server.stop() == 0
    lines = server.stderr() + server.stdout()
    for line in lines:
        assert line.replace("\t", "").isprintable(), repr(line)
    return lines


def check_lines(lines: list[str]) -> None:
    """Check that every line is the beginning of a record, or indented, and that none is forged."""
    assert not [line for line in lines if not LINE.match(line)]
    assert not [line for line in lines if line.startswith("ERROR:    forged")]


def fields(*more: bytes) -> bytes:
    """Write header fields whose values are as hostile as field values may be."""
    quiet = HOSTILE.translate(None, b"\r\n\x00\x1b\x07")  # what a value may have (RFC 9110 5.5)
    lines = [b"Host: test", b"X-Hostile: " + quiet, b"Referer: " + quiet, *more]
    return b"".join(line + b"\r\n" for line in [*lines, b"User-Agent: " + quiet]) + b"\r\n"


def exchange(server: ServerProcess, data: bytes) -> None:
    """Send bytes and read to the end of the connection, or of the first answer."""
    with server.connect() as client:
        client.send(data)
        client.response()


@pytest.mark.parametrize(
    "access_format",
    [
        pytest.param(EVERY_ATOM, id="every-atom"),
        *(pytest.param(n, marks=pytest.mark.exhaustive) for n in ("default", "combined", "json")),
    ],
)
def test_requests(serve: Serve, row: Row, access_format: str) -> None:
    """Targets, fields, forwarded clients, at level trace, in every form of the access log."""
    options = ("--log-level", "trace", "--access-log-format", access_format)
    server = serve(*options, "--forwarded-fields", "for,proto", app=APP, row=row)
    basic = b"Authorization: Basic " + b"G1syShtbMko6cA=="  # "\x1b[2J\x1b[2J:p"
    forwarded = b"X-Forwarded-For: \xc2\x9b31m, \x85"
    for target in (f"/scope{ESCAPED}?{ESCAPED}", '/scope?"quoted"\\x1b', f"/quote/{ESCAPED}"):
        for field in (basic, forwarded, b"X-Forwarded-Proto: \x9b"):
            exchange(server, b"GET %b HTTP/1.1\r\n" % target.encode() + fields(field))
    lines = written(server)
    assert len([line for line in lines if "HTTP/1.1" in line]) >= 9
    if access_format in ("default", EVERY_ATOM):
        check_lines([line for line in lines if not line.startswith("127.0.0.1 ")])
    # The text of the application's own exception is shown with its line ends, behind a margin.
    assert len([line for line in lines if line.startswith("    ERROR:    forged")]) == 3, lines


def _reject(server: ServerProcess, data: bytes) -> None:
    with server.connect() as client:
        client.send(data)
        with suppress(ConnectionError):  # some are closed without an answer, and unread
            client.read_to_end()


REJECTED: dict[str, bytes] = {
    "method": b"G" + HOSTILE + b" / HTTP/1.1\r\n\r\n",
    "target": b"GET /" + HOSTILE + b" HTTP/1.1\r\n\r\n",
    "authority": b"GET http://\x1b[1m/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "version": b"GET / HTTP/1." + HOSTILE + b"\r\n\r\n",
    "field-name": b"GET / HTTP/1.1\r\nHost: a\r\nX" + HOSTILE + b": b\r\n\r\n",
    "field-value": b"GET / HTTP/1.1\r\nHost: a\r\nX: " + HOSTILE + b"\r\n\r\n",
    "host": b"GET / HTTP/1.1\r\nHost: " + HOSTILE + b"\r\n\r\n",
    "transfer-coding": b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \xc2\x9b\r\n\r\n",
    "content-length": b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: \xc2\x9b\r\n\r\n",
    "chunk": b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + HOSTILE,
    "websocket": b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: \xc2\x9b\r\nSec-WebSocket-Key: \xc2\x9b\r\n\r\n",
}


def test_what_is_rejected(serve: Serve, row: Row) -> None:
    server = serve("--log-level", "trace", app=APP, row=row)
    for data in REJECTED.values():
        _reject(server, data)
    lines = written(server)
    assert len([line for line in lines if "rejected with" in line]) == len(REJECTED)
    check_lines(lines)
    assert not [line for line in lines if "forged" in line and "rejected" not in line]


def test_proxy_headers(serve: Serve, row: Row) -> None:
    """Of the PROXY protocol, either version, addresses and what else it may carry."""
    server = serve("--proxy-protocol", "--log-level", "trace", app=APP, row=row)
    path = (b"/" + HOSTILE).ljust(108, b"\0")
    # Version 2, over UNIX sockets: both addresses are paths of the sender's choice.
    unix = b"\r\n\r\n\x00\r\nQUIT\n\x21\x31" + (216).to_bytes(2, "big") + path * 2
    _reject(server, unix + b"GET /scope HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    for line in (b"TCP4 \x1b[2J \x9b 1 2", b"TCP6 " + HOSTILE, b"\x1b[2J"):
        _reject(server, b"PROXY " + line + b"\r\n")
    lines = written(server)
    check_lines(lines)
    assert [line for line in lines if "no PROXY protocol header" in line]


def test_websockets(serve: Serve, row: Row) -> None:
    """Subprotocols, the reason of a close frame, and texts."""
    server = serve("--log-level", "trace", app=APP, row=row)
    text = HOSTILE.decode("latin-1")
    with WebSocket(server.address) as client:
        client.open(f"/echo?{ESCAPED}")
        client.send_text(text)
        client.next_frame()
        client.send_close(3000, text)
        client.next_close()
    with WebSocket(server.address) as client:
        offered = ("Sec-WebSocket-Protocol", "\x9b31m, \x1b[2J")
        client.request("/echo", fields=[*OPENING, offered])
        client.read_to_end()
    lines = written(server)
    check_lines(lines)


def _hello(name: str) -> bytes:
    """Return the first bytes of a client that asks for a server by a name of 40 octets."""
    outgoing = ssl.MemoryBIO()
    stranger = ssl.create_default_context().wrap_bio(
        ssl.MemoryBIO(), outgoing, server_hostname="a" * 40
    )
    with suppress(ssl.SSLWantReadError):
        stranger.do_handshake()
    return outgoing.read().replace(b"a" * 40, name.encode("latin-1").ljust(40, b"a"))


def test_names_that_tls_asks_for(serve: Serve, row: Row, tmp_path: Path) -> None:
    """A server name is the client's own (RFC 6066 section 3)."""
    pair = Authority(tmp_path).issue("server")
    server = serve(*pair.options, "--log-level", "trace", app=APP, row=row)
    for name in ("\x1b[2J", "\x9b31m\r\nERROR:    forged", "\x00\xff"):
        with server.connect() as client:
            client.send(_hello(name))
            client.finish_writing()
            client.read_to_end()
    check_lines(written(server))
