"""WSGI applications on every row, with the standard library's validator around them."""

from __future__ import annotations

import json
import time

import pytest

from tests.client import Response
from tests.conftest import Serve
from tests.rows import Row
from tests.server import ServerProcess
from tests.websocket_client import WebSocket

APP = "tests.apps.wsgi_stage:app"
MEBIBYTE = 2**20
SIZE = 50 * MEBIBYTE
# How much the peak of a server's memory may lie above what it had before.
BOUND = 32 * MEBIBYTE


@pytest.fixture(scope="module")
def server(serve_module: Serve, row: Row) -> ServerProcess:
    """Return a server of every row; its application is found to be WSGI."""
    return serve_module(app=APP, row=row)


def get(server: ServerProcess, target: str) -> Response:
    with server.connect() as client:
        return client.get(target)


def test_responses_of_one_connection(server: ServerProcess) -> None:
    with server.connect() as client:
        for _ in range(3):
            answer = client.get("/")
            assert (answer.status, answer.body) == (200, b"hello")
            assert answer.field("content-length") == "5"


def test_environ(server: ServerProcess) -> None:
    with server.connect() as client:
        fields = [("X-Twice", "1"), ("X-Twice", "2"), ("X_Twice", "3"), ("Content-Type", "a/b")]
        client.request("/caf%C3%A9/%FF?a=%20b", "POST", fields, content=b"12345")
        environ = json.loads(client.response().body)
        host, port = client.socket.getsockname()
    expected = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/caf\u00c3\u00a9/\u00ff",
        "QUERY_STRING": "a=%20b",
        "REQUEST_URI": "/caf%C3%A9/%FF?a=%20b",
        "CONTENT_TYPE": "a/b",
        "CONTENT_LENGTH": "5",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": str(server.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": host,
        "REMOTE_PORT": str(port),
        "HTTP_X_TWICE": "1,2",
        "wsgi.url_scheme": "http",
        "wsgi.multithread": True,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }
    assert {name: environ[name] for name in expected} == {
        name: repr(value) for name, value in expected.items()
    }


def test_options_of_the_whole_server(server: ServerProcess) -> None:
    with server.connect() as client:
        client.request("*", "OPTIONS")
        environ = json.loads(client.response().body)
    assert (environ["PATH_INFO"], environ["REQUEST_URI"]) == ("''", "'*'")


@pytest.mark.parametrize("declared", [True, False], ids=["Content-Length", "chunked"])
def test_upload_of_50_mebibytes(server: ServerProcess, declared: bool) -> None:
    before = server.memory()
    with server.connect() as client:
        if declared:
            client.request("/count", "POST", [("Content-Length", str(SIZE))])
        else:
            client.request("/count", "POST", [("Transfer-Encoding", "chunked")])
        block = b"y" * MEBIBYTE
        for _ in range(SIZE // MEBIBYTE):
            client.send(block if declared else b"%x\r\n%b\r\n" % (len(block), block))
        if not declared:
            client.send(b"0\r\n\r\n")
        assert client.response().body == str(SIZE).encode()
    assert server.memory("VmHWM") - before < BOUND


def test_download_of_50_mebibytes(server: ServerProcess) -> None:
    before = server.memory()
    with server.connect(receive_buffer=262_144) as client:
        client.request(f"/big?{SIZE // 65536}")
        answer = client.start_response()
        size = 0
        while piece := answer.read(131_072):
            size += len(piece)
        assert size == SIZE
    server.stdout.wait_for("# big: closed")
    assert server.memory("VmHWM") - before < BOUND


def test_content_is_sent_as_it_is_made(server: ServerProcess) -> None:
    with server.connect() as client:
        client.request("/stepwise")
        answer = client.start_response()
        assert answer.read(5) == b"first"
        server.open_gate()
        assert answer.read() == b"second"


def test_content_goes_both_ways_at_once(server: ServerProcess) -> None:
    with server.connect() as client:
        client.request("/echo", "POST", [("Transfer-Encoding", "chunked")])
        client.send(b"4\r\none\n\r\n")
        answer = client.start_response()
        assert answer.read(4) == b"one\n"
        client.send(b"4\r\ntwo\n\r\n0\r\n\r\n")
        assert answer.read() == b"two\n"


def test_continue_is_said_when_content_is_read(server: ServerProcess) -> None:
    with server.connect() as client:
        fields = [("Expect", "100-continue"), ("Content-Length", "5")]
        client.request("/count", "POST", fields)
        assert client.read_line() == b"HTTP/1.1 100 Continue\r\n"
        assert client.read_line() == b"\r\n"
        client.send(b"12345")
        assert client.response().body == b"5"


@pytest.mark.parametrize("target", ["/slow-close", "/slow-close?declared"])
def test_close_holds_no_client_up(server: ServerProcess, target: str) -> None:
    closed = len(server.stdout.matching("# slow-close: closed"))
    assert get(server, target).body == b"answered"
    server.open_gate()
    server.stdout.wait_for("# slow-close: closed", count=closed + 1)


def test_write(server: ServerProcess) -> None:
    assert get(server, "/write").body == b"written first, then returned"


def test_a_start_may_be_replaced(server: ServerProcess) -> None:
    answer = get(server, "/replace")
    assert (answer.status, answer.body) == (503, b"replaced")


def test_a_start_that_is_sent_may_not(server: ServerProcess) -> None:
    with server.connect() as client:
        client.request("/too-late")
        received = client.read_to_end()
    assert b"sent" in received
    assert not received.endswith(b"0\r\n\r\n")
    server.stderr.wait_for("^ +ValueError: too late on purpose")


def test_an_error(server: ServerProcess) -> None:
    assert get(server, "/fail").status == 500
    server.stderr.wait_for("^ +ValueError: wsgi on purpose")
    assert get(server, "/").status == 200


def test_head(server: ServerProcess) -> None:
    with server.connect() as client:
        client.request("/", "HEAD")
        answer = client.response("HEAD")
        assert (answer.status, answer.body) == (200, b"")
        assert answer.field("content-length") == "5"
        assert client.get("/").body == b"hello"


def test_file_wrapper(server: ServerProcess) -> None:
    assert get(server, "/file").body == b"x" * 65536 + b"end"


def test_a_client_that_leaves_a_download(server: ServerProcess) -> None:
    logged = len(server.stderr())
    with server.connect() as client:
        client.request("/endless")
        client.read(100_000)
    server.stdout.wait_for("# endless: closed")
    assert server.stderr()[logged:] == []


def test_a_client_that_leaves_its_upload(server: ServerProcess) -> None:
    logged = len(server.stderr())
    begun = len(server.stdout.matching("# count: begun"))
    ended = len(server.stdout.matching("# count: ended"))
    with server.connect() as client:
        client.request("/count", "POST", [("Content-Length", "100000")])
        client.send(b"x" * 70_000)
        server.stdout.wait_for("# count: begun", count=begun + 1)
    server.stdout.wait_for("# count: ended", count=ended + 1)
    assert get(server, "/").status == 200
    assert server.stderr()[logged:] == []


def test_a_websocket_is_refused(server: ServerProcess) -> None:
    with WebSocket(server.address) as client:
        assert client.ask("/").status == 403


def test_mounted_below_a_path(serve: Serve, row: Row) -> None:
    server = serve("--root-path", "/api", app=APP, row=row)
    for target in ("/api/x", "/x"):
        environ = json.loads(get(server, target).body)
        assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("'/api'", "'/x'")
    environ = json.loads(get(server, "/apix").body)
    assert environ["PATH_INFO"] == "'/apix'"


def test_unix_socket(serve: Serve, row: Row, tmp_path: object) -> None:
    server = serve("--uds", f"{tmp_path}/socket", app=APP, row=row)
    environ = json.loads(get(server, "/show").body)
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("'localhost'", "'80'")
    assert environ["REMOTE_ADDR"] == "''"
    assert "REMOTE_PORT" not in environ


@pytest.mark.parametrize("lifespan", ["auto", "on", "off"])
def test_threads_do_not_hold_the_end(serve: Serve, row: Row, lifespan: str) -> None:
    server = serve("--lifespan", lifespan, app=APP, row=row)
    assert get(server, "/").status == 200
    began = time.monotonic()
    assert server.stop() == 0
    assert not server.stderr.matching("ERROR|lifespan")
    assert time.monotonic() - began < 10


def test_a_thread_that_is_busy_does_not_hold_the_end(serve: Serve, row: Row) -> None:
    server = serve("--timeout-graceful-shutdown", "0.3", app=APP, row=row)
    with server.connect() as client:
        client.request("/stuck")
        server.stdout.wait_for("# stuck: begun")
        assert server.stop() == 0
    server.stderr.wait_for("^ERROR: .* threads, which run on")


def test_a_request_in_flight_is_finished(serve: Serve, row: Row) -> None:
    server = serve("--timeout-graceful-shutdown", "60", app=APP, row=row)
    with server.connect() as client:
        client.request("/stepwise")
        answer = client.start_response()
        assert answer.read(5) == b"first"
        server.send_signal(15)
        server.stderr.wait_for("Stopping")
        server.open_gate()
        assert answer.read() == b"second"
    assert server.wait_exit() == 0
    assert server.stdout.matching("# stepwise: closed")
    assert not server.stderr.matching("ERROR")


def test_a_request_that_takes_too_long(serve: Serve, row: Row) -> None:
    """The client is answered; the thread stays counted, and learns when it next sends."""
    server = serve("--timeout-request", "0.3", "--wsgi-threads", "1", app=APP, row=row)
    with server.connect() as client:
        client.request("/stuck")
        assert client.response().status == 503
        server.stderr.wait_for("^ERROR: .* within 0.3 s; cancelled")
    with server.connect() as client:
        client.request("/")
        assert client.response().status == 503  # the only thread is busy
    server.open_gate()
    server.stdout.wait_for("# stuck: the request is over")
    assert get(server, "/").status == 200


def test_what_asgi_forbids_is_the_applications_error(serve: Serve, row: Row) -> None:
    server = serve(app="tests.apps.wsgi_mistakes:app", row=row)
    for target, said in (
        ("/no-start", "MessageError: the application has not called start_response"),
        ("/twice", "MessageError: start_response.* a second time"),
        ("/text", "TypeError: sequence item 0: expected a bytes-like object"),
        ("/text-iterator", "TypeError"),
        ("/status", "ValueError: a status must look like '200 OK', got '20'"),
        ("/field", "TypeError: a header must be a .str, str."),
        ("/injection", "MessageError"),
    ):
        assert get(server, target).status == 500
        server.stderr.wait_for(rf"^ +(\w+\.)*{said}")
    with server.connect() as client:
        assert client.get("/too-much").body == b"12345"
        server.stderr.wait_for("MessageError: .* more than the Content-Length")
