"""TLS on the wire, on every row: handshakes that go wrong, large bodies, slow readers, and ends."""

from __future__ import annotations

import os
import signal
import socket
import ssl
from contextlib import suppress

import pytest

from tests.certificates import HOST, Authority, Pair
from tests.client import Connection
from tests.conftest import Serve
from tests.hardening.memory import Growth
from tests.rows import Row
from tests.server import ServerProcess
from tests.test_memory import send_content

MEBIBYTE = 1 << 20
REQUEST = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"
BEGINS_A_RECORD = b"\x16\x03\x01\x02\x00"
MANY = 200
HANDSHAKE_FAILED = "^WARNING: +127.0.0.1:[0-9]+ - TLS handshake failed: "


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def pair(authority: Authority) -> Pair:
    return authority.issue("server")


@pytest.fixture(scope="module")
def tls(authority: Authority) -> ssl.SSLContext:
    """Return a client's context."""
    return authority.client()


@pytest.fixture(scope="module")
def server(row: Row, serve_module: Serve, pair: Pair) -> ServerProcess:
    """Return a server of every row."""
    return serve_module(*pair.options, "--log-level", "debug", row=row)


@pytest.fixture(params=["TLSv1_2", "TLSv1_3"])
def version(request: pytest.FixtureRequest, authority: Authority) -> ssl.SSLContext:
    """Return the context of clients of each version."""
    context = authority.client()
    context.minimum_version = context.maximum_version = ssl.TLSVersion[request.param]
    return context


def client_hello(tls: ssl.SSLContext) -> bytes:
    outgoing = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        tls.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=HOST).do_handshake()
    return outgoing.read()


def check_serves(server: ServerProcess, tls: ssl.SSLContext) -> None:
    with server.connect(tls=tls) as client:
        assert client.get("/").body == b"hello"


def raw(client: Connection) -> socket.socket:
    """Return the connection below TLS, which is the caller's from now on."""
    return socket.socket(fileno=client.socket.detach())


def test_requests_on_one_connection(server: ServerProcess, version: ssl.SSLContext) -> None:
    with server.connect(tls=version) as client:
        assert [client.get("/").body for _ in range(3)] == [b"hello"] * 3
        client.send(REQUEST * 20)
        assert [client.response().body for _ in range(20)] == [b"hello"] * 20


def test_plain_http_is_answered_in_plain_http(server: ServerProcess, tls: ssl.SSLContext) -> None:
    with server.connect() as client:
        answer = client.get("/")
        assert (answer.status, answer.field("connection")) == (400, "close")
        assert client.at_end()
        port = client.socket.getsockname()[1]
    server.stderr.wait_for(f"^WARNING: .*:{port} - rejected with 400: plain HTTP was spoken")
    check_serves(server, tls)


@pytest.mark.parametrize(
    "garbage",
    [b"\x80\x2e\x01" + bytes(45), b"\x16" + bytes(range(200)), BEGINS_A_RECORD + bytes(512)],
    ids=["ssl2", "no-record", "no-hello"],
)
def test_garbage_fails_with_a_line(
    server: ServerProcess, tls: ssl.SSLContext, garbage: bytes
) -> None:
    mark = len(server.stderr())
    with server.connect() as client:
        client.send(garbage)
        client.finish_writing()
        assert not client.read_to_end().startswith(b"HTTP")
    server.stderr.wait_for(HANDSHAKE_FAILED, since=mark)
    check_serves(server, tls)


def test_versions_that_are_too_old_get_an_alert(server: ServerProcess, pair: Pair) -> None:
    mark = len(server.stderr())
    with server.connect() as client:
        # A ClientHello of TLS 1.0 with one suite and no extensions (RFC 2246 section 7.4.1.2).
        body = b"\x03\x01" + bytes(32) + b"\x00" + b"\x00\x02\xc0\x13" + b"\x01\x00"
        hello = b"\x01" + len(body).to_bytes(3, "big") + body
        client.send(b"\x16\x03\x01" + len(hello).to_bytes(2, "big") + hello)
        assert client.read(7)[0] == 21, "an alert"
        assert client.at_end()
    server.stderr.wait_for(HANDSHAKE_FAILED + "unsupported protocol", since=mark)


def test_clients_that_leave_the_handshake_are_no_news(
    server: ServerProcess, tls: ssl.SSLContext
) -> None:
    mark = len(server.stderr())
    hello = client_hello(tls)
    for sent in (b"", hello[:100], hello):
        for leave in (Connection.close, Connection.reset, Connection.finish_writing):
            client = server.connect()
            client.send(sent)
            leave(client)
            if leave is Connection.finish_writing:
                client.read_to_end()
                client.close()
    check_serves(server, tls)
    assert not [line for line in server.stderr()[mark:] if "WARNING" in line or "ERROR" in line]


def test_a_handshake_that_comes_byte_by_byte(server: ServerProcess, tls: ssl.SSLContext) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    wrapped = tls.wrap_bio(incoming, outgoing, server_hostname=HOST)
    with server.connect() as client:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def exchange() -> None:
            for octet in outgoing.read():
                client.send(bytes((octet,)))
            incoming.write(client.read_some())

        done = False
        while not done:
            try:
                wrapped.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                exchange()
        wrapped.write(REQUEST)
        answer = b""
        while b"hello" not in answer:
            with suppress(ssl.SSLWantReadError):
                answer += wrapped.read()
                continue
            exchange()
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


def test_protocols_are_http_1_1_alone(
    server: ServerProcess, authority: Authority, pair: Pair
) -> None:
    for offered, chosen in ((["h2", "http/1.1"], "http/1.1"), (["h2"], None)):
        tls = authority.client()
        tls.set_alpn_protocols(offered)
        with server.connect(tls=tls) as client:
            assert isinstance(client.socket, ssl.SSLSocket)
            assert client.socket.selected_alpn_protocol() == chosen
            assert client.get("/").body == b"hello"


def test_a_request_with_a_broken_record_behind_it(
    server: ServerProcess, version: ssl.SSLContext
) -> None:
    """They come in one read, after which TLS tells nothing of the client any more."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    wrapped = version.wrap_bio(incoming, outgoing, server_hostname=HOST)
    with server.connect() as client:
        while True:
            try:
                wrapped.do_handshake()
                break
            except ssl.SSLWantReadError:
                client.send(outgoing.read())
                incoming.write(client.socket.recv(65536))
        wrapped.write(REQUEST)
        client.send(outgoing.read() + b"\x17\x03\x03\x00\x20" + bytes(32))
        with suppress(ConnectionResetError):
            while client.socket.recv(65536):
                pass
    check_serves(server, version)
    assert not server.stderr.matching("Internal error")


def test_a_broken_record_gets_an_alert(server: ServerProcess, version: ssl.SSLContext) -> None:
    """RFC 8446 section 5.2, RFC 5246 section 7.2.2."""
    with server.connect(tls=version) as client:
        assert client.get("/").body == b"hello"
        assert isinstance(client.socket, ssl.SSLSocket)
        with socket.socket(fileno=os.dup(client.socket.fileno())) as below:
            below.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
        with pytest.raises(ssl.SSLError, match=r"(?i)alert bad record mac"):
            client.socket.recv(1)
    check_serves(server, version)


def test_large_content_comes_back_whole(server: ServerProcess, version: ssl.SSLContext) -> None:
    content = bytes(range(256)) * 4096 * 4
    with server.connect(tls=version) as client:
        for _ in range(2):
            client.request("/count", "POST", content=content)
            assert client.response().body == str(len(content)).encode()
        client.request("/echo", "POST", content=content[:60_000])
        assert client.response().body == content[:60_000]


def test_large_upload_in_bounded_memory(server: ServerProcess, tls: ssl.SSLContext) -> None:
    growth = Growth(server)
    with server.connect(tls=tls) as client:
        client.request("/count", "POST", [("Content-Length", str(256 * MEBIBYTE))])
        send_content(client, 256)
        assert client.response().body == str(256 * MEBIBYTE).encode()
    assert growth.size < 8 * MEBIBYTE


def test_upload_that_nobody_reads_in_bounded_memory(
    server: ServerProcess, tls: ssl.SSLContext
) -> None:
    growth = Growth(server)
    with server.connect(tls=tls) as client:
        mark = len(server.stdout())
        client.request("/early", "POST", [("Content-Length", str(64 * MEBIBYTE))])
        server.stdout.wait_for("# early: waiting", since=mark)
        client.socket.settimeout(0.5)
        with pytest.raises(TimeoutError):
            send_content(client, 64)
        assert growth.size < 4 * MEBIBYTE
        server.open_gate()
        client.reset()


def test_what_follows_a_closure_alert_in_bounded_memory(
    server: ServerProcess, tls: ssl.SSLContext
) -> None:
    growth = Growth(server)
    mark = len(server.stdout())
    client = server.connect(tls=tls)
    client.request("/early", "POST", content=b"content")
    server.stdout.wait_for("# early: waiting", since=mark)
    assert isinstance(client.socket, ssl.SSLSocket)
    client.socket.settimeout(0.1)
    with pytest.raises(TimeoutError):
        client.socket.unwrap()  # the alert goes out; the server's own comes behind its answer
    with raw(client) as below:
        below.settimeout(0.5)
        with suppress(TimeoutError):
            for _ in range(64):
                below.sendall(bytes(MEBIBYTE))
        assert growth.size < 8 * MEBIBYTE
        server.open_gate()


def test_download_by_a_slow_reader_in_bounded_memory(
    server: ServerProcess, tls: ssl.SSLContext
) -> None:
    growth = Growth(server)
    mark = len(server.stdout())
    with server.connect(receive_buffer=262_144, tls=tls) as client:
        client.request(f"/big?{256 * MEBIBYTE}")
        answer = client.start_response()
        buffer = bytearray(131_072)
        left = 256 * MEBIBYTE
        while left and (size := answer.readinto(buffer)):
            left -= size
        assert left == 0
    server.stdout.wait_for("# big: sent", since=mark)
    assert growth.size < 8 * MEBIBYTE


def test_a_reader_that_stops_is_left(
    serve: Serve, row: Row, pair: Pair, tls: ssl.SSLContext
) -> None:
    server = serve(*pair.options, "--timeout-write", "1", row=row)
    with server.connect(receive_buffer=4096, tls=tls) as client:
        client.request(f"/big?{64 * MEBIBYTE}")
        server.stdout.wait_for("# big: ClientDisconnected")


def test_many_that_close_at_once(server: ServerProcess, tls: ssl.SSLContext) -> None:
    check_serves(server, tls)
    mark = len(server.stderr())
    before = server.descriptors()
    clients = [server.connect(tls=tls) for _ in range(MANY)]
    for number, client in enumerate(clients):
        if number % 2:
            client.request("/")
    for number, client in enumerate(clients):
        if number % 4 < 2:
            client.reset()
        else:
            client.close()
    for _ in range(600):
        if server.descriptors() <= before:
            break
        check_serves(server, tls)
    assert server.descriptors() <= before
    assert not [line for line in server.stderr()[mark:] if "ERROR" in line or "WARNING" in line]


def test_a_fin_without_closure_alert_is_a_lost_client(
    server: ServerProcess, tls: ssl.SSLContext
) -> None:
    mark, lines = len(server.stdout()), len(server.stderr())
    client = server.connect(tls=tls)
    client.request("/listen")
    server.stdout.wait_for("# listen: begun", since=mark)
    with raw(client) as below:
        below.shutdown(socket.SHUT_WR)
        server.stdout.wait_for("# listen: http.disconnect", since=mark)
    assert not [line for line in server.stderr()[lines:] if "WARNING" in line or "ERROR" in line]


@pytest.mark.parametrize("sent", [b"", BEGINS_A_RECORD], ids=["silent", "begun"])
def test_a_handshake_that_never_ends(
    serve: Serve, row: Row, pair: Pair, tls: ssl.SSLContext, sent: bytes
) -> None:
    """It has the headers' time, and counts as a connection meanwhile."""
    options = ("--timeout-headers", "0.5", "--limit-connections", "1")
    server = serve(*pair.options, *options, row=row)
    with server.connect() as client:
        client.send(sent)
        check_serves(server, tls)  # once the first one's time is over
        assert client.at_end()


def test_a_stop_lets_requests_end(serve: Serve, row: Row, pair: Pair, tls: ssl.SSLContext) -> None:
    server = serve(*pair.options, row=row)
    with server.connect(tls=tls) as idle, server.connect(tls=tls) as busy:
        assert idle.get("/").body == b"hello"
        busy.request("/early", "POST", content=b"content")
        server.stdout.wait_for("# early: waiting")
        server.send_signal(signal.SIGTERM)
        assert idle.read_to_end() == b"", "a closure alert"
        server.open_gate()
        answer = busy.response()
        assert (answer.body, answer.field("connection")) == (b"early", "close")
        assert busy.read_to_end() == b"", "a closure alert"
    assert server.wait_exit() == 0
