"""The PROXY protocol header and what is around it: large reads, limits, the server's stop, TLS."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.certificates import HOST, Authority
from tests.conftest import Serve
from tests.rows import Row
from tests.server import ServerProcess

HEADER = b"PROXY TCP4 203.0.113.7 198.51.100.1 4711 443\r\n"
SIGNATURE_2 = b"\r\n\r\n\x00\r\nQUIT\n"
TOLD = '"client": "(\'203.0.113.7\', 4711)"'
REJECTED = "no PROXY protocol header: "


def serving(serve: Serve, row: Row, *options: str) -> ServerProcess:
    return serve("--proxy-protocol", *options, row=row)


def test_much_comes_behind_the_header_at_once(serve: Serve, row: Row) -> None:
    """More than any buffer of ours holds."""
    content = b"x" * 1_000_000
    head = b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(content)
    with serving(serve, row).connect() as client:
        client.send(HEADER + head + content)
        assert client.response().body == b"%d" % len(content)
        assert TOLD in client.get("/scope-of-it").text


@pytest.mark.parametrize(
    ("header", "believed"),
    [
        (b"PROXY UNKNOWN\r\n", False),
        (SIGNATURE_2 + b"\x21\x00\x00\x00", False),
        (SIGNATURE_2 + b"\x20\x00\x00\x00", True),
    ],
    ids=["v1 UNKNOWN", "v2 UNSPEC", "v2 LOCAL"],
)
def test_who_is_not_told_is_not_believed(
    serve: Serve, row: Row, header: bytes, believed: bool
) -> None:
    """Only what the proxy asks on its own account comes from whom we trust."""
    with serving(serve, row).connect() as client:
        client.send(header + b"GET /scope-of-it HTTP/1.1\r\nHost: a\r\n")
        client.send(b"X-Forwarded-For: 203.0.113.9\r\n\r\n")
        scope = client.response().text
        assert ("203.0.113.9', 0)" in scope) is believed


def test_connection_that_awaits_a_header_counts(serve: Serve, row: Row) -> None:
    server = serving(serve, row, "--limit-connections", "1")
    with server.connect() as first, server.connect() as second:
        first.send(HEADER)
        assert first.get("/").status == 200
        second.send(HEADER)
        second.request("/")
        assert first.get("/").status == 200
        assert not second.is_readable()
        first.close()
        assert second.response().status == 200


def test_connection_that_is_rejected_makes_room(serve: Serve, row: Row) -> None:
    server = serving(serve, row, "--limit-connections", "1")
    for count in range(1, 4):
        with server.connect() as client:
            client.send(b"GET / HTTP/1.1\r\n\r\n")
            assert client.at_end()
        server.stderr.wait_for(REJECTED + "it begins", count=count)
    with server.connect() as client:
        client.send(HEADER)
        assert client.get("/").status == 200


def test_stop_closes_a_connection_that_awaits_its_header(serve: Serve, row: Row) -> None:
    server = serving(serve, row)
    with server.connect() as known, server.connect() as silent:
        known.send(HEADER)
        assert known.get("/").status == 200
        assert server.stop() == 0
        assert silent.at_end()
    assert not server.stderr.matching(REJECTED)


def test_header_shares_the_time_of_the_first_head(serve: Serve, row: Row) -> None:
    server = serving(serve, row, "--timeout-headers", "0.5")
    with server.connect() as silent, server.connect() as partial, server.connect() as headed:
        partial.send(HEADER[:10])
        headed.send(HEADER + b"GET / HTTP/1.1\r\n")
        assert headed.response().status == 408
        assert silent.at_end()
        assert partial.at_end()
    server.stderr.wait_for(REJECTED + "it does not come in time", count=2)
    server.stderr.wait_for(r"203\.0\.113\.7:4711 - rejected with 408")


def test_client_that_leaves_without_a_word(serve: Serve, row: Row) -> None:
    """As checks of a port do: it is not worth a line."""
    server = serving(serve, row)
    with server.connect():
        pass
    with server.connect() as client:
        client.send(HEADER)
        assert client.get("/").status == 200
    assert not server.stderr.matching(REJECTED)


def test_over_a_unix_socket(serve: Serve, row: Row, tmp_path: Path) -> None:
    path = str(tmp_path / "trusted")
    with serving(serve, row, "--uds", path, "--forwarded-allow-ips", "unix").connect() as client:
        client.send(HEADER)
        assert TOLD in client.get("/scope-of-it").text
    server = serving(serve, row, "--uds", str(tmp_path / "other"))
    with server.connect() as client:
        assert client.at_end()
    server.stderr.wait_for(f"unix - {REJECTED}its peer is no trusted proxy")


def test_before_tls_in_single_bytes(serve: Serve, row: Row, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    server = serving(serve, row, *authority.issue("server").options)
    with socket.create_connection(("127.0.0.1", server.port), 60) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in HEADER:
            plain.send(bytes((octet,)))
        with authority.client().wrap_socket(plain, server_hostname=HOST) as client:
            client.sendall(b"GET /scope-of-it HTTP/1.0\r\nHost: a\r\n\r\n")
            answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert TOLD.encode() in answer
    assert b"'https'" in answer


def test_plain_http_behind_the_header_of_a_tls_server(
    serve: Serve, row: Row, tmp_path: Path
) -> None:
    server = serving(serve, row, *Authority(tmp_path).issue("server").options)
    with server.connect() as client:
        client.send(HEADER + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.response().status == 400
    server.stderr.wait_for(r"203\.0\.113\.7:4711 - rejected with 400")
