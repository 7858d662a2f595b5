"""Files on their way to clients that are slow, leave, or ask for more; and files that change."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.certificates import Authority
from tests.client import Connection
from tests.conftest import Serve
from tests.rows import Row
from tests.server import LINE_BOUND, ServerProcess

APP = "tests.apps.files:app"
MEBIBYTE = 2**20
# More than the kernel takes for a client that does not read, with a small window of its own.
LARGE = 48 * MEBIBYTE
HUGE = 1024 * MEBIBYTE
SMALL_WINDOW = 65_536
# How the files are sent; the second as where the kernel cannot.
WAYS = {
    "sendfile": (APP,),
    "reading": ("--factory", "tests.apps.files:without_sendfile"),
}


@pytest.fixture(scope="module", params=WAYS)
def server(serve_module: Serve, row: Row, request: pytest.FixtureRequest) -> ServerProcess:
    """Return a server of every row, for every way of sending a file."""
    *options, app = WAYS[request.param]
    return serve_module("--timeout-write", "0", *options, app=app, row=row)


@pytest.fixture
def patterned(tmp_path: Path) -> Path:
    """Return a large file whose content shows its place."""
    path = tmp_path / "patterned"
    with path.open("wb") as file:
        for number in range(LARGE // MEBIBYTE):
            file.write(b"%015d\n" % number * (MEBIBYTE // 16))
    return path


class Told:
    """What an application tells from a moment on."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._since = len(server.stdout())

    def wait_for(self, pattern: str) -> None:
        self._server.stdout.wait_for(pattern, since=self._since)


def slow(server: ServerProcess) -> Connection:
    """Connect with a small window: the server soon has to wait."""
    return server.connect(receive_buffer=SMALL_WINDOW)


def ask(client: Connection, target: str, path: Path, *more: str) -> None:
    client.request(f"{target}?{path}")
    for another in more:
        client.request(another)


def read_all(client: Connection, size: int) -> int:
    """Read content without keeping it; return how much came."""
    buffer = bytearray(MEBIBYTE)
    answer = client.start_response()
    assert answer.getheader("content-length") == str(size)
    got = 0
    while got < size and (read := answer.readinto(buffer)):
        got += read
    return got


def test_memory_stays_flat(server: ServerProcess, tmp_path: Path) -> None:
    path = tmp_path / "huge"
    path.touch()
    os.truncate(path, HUGE)
    before = server.memory("VmRSS")
    told = Told(server)
    with slow(server) as client:
        ask(client, "/whole", path)
        assert read_all(client, HUGE) == HUGE
    told.wait_for("files: sent")
    assert server.memory("VmHWM") - before < 8 * MEBIBYTE


def test_content_is_whole_and_the_next_responses_follow(
    server: ServerProcess, patterned: Path
) -> None:
    check_three_responses(server, patterned)


def check_three_responses(server: ServerProcess, path: Path) -> None:
    wanted = path.read_bytes()
    with slow(server) as client:
        ask(client, "/part", path, f"/whole?{path}", "/next")
        assert client.response().body == b"<" + wanted + b">"
        assert client.response().body == wanted
        assert client.response().body == b"next"


def test_given_up_send_leaves_no_half_message(server: ServerProcess, patterned: Path) -> None:
    told = Told(server)
    with slow(server) as client:
        ask(client, "/given-up", patterned, "/next")
        told.wait_for("files: waiting")
        server.open_gate()
        told.wait_for("files: given up")
        assert client.response().body == patterned.read_bytes() + b"tail"
        assert client.response().body == b"next"


def test_client_that_leaves(server: ServerProcess, patterned: Path) -> None:
    before = server.descriptors()
    for target in ("/whole", "/part"):
        told = Told(server)
        client = slow(server)
        ask(client, target, patterned)
        assert client.read(1000)
        client.reset()
        told.wait_for("files: ClientDisconnected")
    with server.connect() as client:
        assert client.get("/next").body == b"next"
        deadline = time.monotonic() + LINE_BOUND  # for connections of tests before
        while server.descriptors() > before + 1 and time.monotonic() < deadline:
            client.get("/next")
        assert server.descriptors() <= before + 1


@pytest.mark.parametrize("target", ["/whole", "/part"])
def test_file_that_becomes_shorter(server: ServerProcess, patterned: Path, target: str) -> None:
    """Nobody may take what came for the whole."""
    told = Told(server)
    complaints = len(server.stderr.matching("A response is cut off"))
    with slow(server) as client:
        ask(client, target, patterned)
        assert client.read(1000)
        os.truncate(patterned, LARGE // 2 + 5)
        with pytest.raises(ConnectionResetError):
            client.read_to_end()
    told.wait_for("files: ClientDisconnected")
    found = server.stderr.wait_for(r"ERROR.*A response is cut off: (.*)", complaints + 1)
    assert str(patterned) in found[1]
    assert "became shorter" in found[1]


def test_file_that_grows(server: ServerProcess, patterned: Path) -> None:
    wanted = patterned.read_bytes()
    with slow(server) as client:
        ask(client, "/whole", patterned, "/next")
        assert client.read(1) == b"H"
        with patterned.open("ab") as file:
            file.write(b"more" * MEBIBYTE)
        rest = client.read(len(wanted)).partition(b"\r\n\r\n")[2]
        rest += client.read(len(wanted) - len(rest))
        assert rest == wanted
        assert client.response().body == b"next"


# --- With options of their own ----------------------------------------------------------


def test_missing_file_is_a_clean_500(serve: Serve, row: Row, tmp_path: Path) -> None:
    server = serve(app=APP, row=row)
    with server.connect() as client:
        answer = client.get(f"/whole?{tmp_path}/none")
        assert (answer.status, answer.body) == (500, b"Internal Server Error")
        assert client.at_end()
    server.stdout.wait_for("files: MessageError")
    server.stderr.wait_for(f"cannot open '{tmp_path}/none': No such file")


def test_unix_socket(serve: Serve, row: Row, tmp_path: Path, patterned: Path) -> None:
    server = serve("--uds", str(tmp_path / "s"), app=APP, row=row)
    with server.connect() as client:
        assert client.get(f"/whole?{patterned}").body == patterned.read_bytes()


def test_no_descriptor_to_spare(serve: Serve, row: Row, patterned: Path) -> None:
    """The loop can then watch the socket for the transport alone."""
    server = serve("--factory", app="tests.apps.files:without_duplicates", row=row)
    check_three_responses(server, patterned)


def test_access_log_counts_the_bytes(serve: Serve, row: Row, patterned: Path) -> None:
    server = serve("--access-log-format", "took %(B)s", app=APP, row=row)
    with server.connect() as client:
        ask(client, "/part", patterned)
        assert len(client.response().body) == LARGE + 2
    assert server.stdout.wait_for(r"took (\d+)")[1] == str(LARGE + 2)


def test_graceful_stop_waits_for_a_file(serve: Serve, row: Row, patterned: Path) -> None:
    server = serve("--timeout-graceful-shutdown", "60", app=APP, row=row)
    with slow(server) as client:
        ask(client, "/whole", patterned)
        assert client.read(1) == b"H"
        server.send_signal(signal.SIGTERM)
        server.stderr.wait_for("Stopping")
        assert client.read_to_end().endswith(patterned.read_bytes())
    assert server.wait_exit() == 0


def test_stop_does_not_wait_for_ever(serve: Serve, row: Row, patterned: Path) -> None:
    server = serve("--timeout-graceful-shutdown", "1", app=APP, row=row)
    with slow(server) as client:
        ask(client, "/whole", patterned)
        assert client.read(1) == b"H"
        server.send_signal(signal.SIGTERM)
        assert server.wait_exit() == 0


def test_client_that_does_not_read(serve: Serve, row: Row, patterned: Path) -> None:
    server = serve("--timeout-write", "1", app=APP, row=row)
    with slow(server) as client:
        ask(client, "/whole", patterned)
        server.stdout.wait_for("files: ClientDisconnected")
        with pytest.raises(ConnectionResetError):
            client.read_to_end()


def test_over_tls(serve: Serve, row: Row, tmp_path: Path, patterned: Path) -> None:
    """It is read in pieces, and a slow client's file takes no more memory than another's."""
    authority = Authority(tmp_path)
    options = authority.issue("server").options
    server = serve("--timeout-write", "0", *options, app=APP, row=row)
    before = server.memory("VmRSS")
    with server.connect(SMALL_WINDOW, authority.client()) as client:
        ask(client, "/whole", patterned, "/next")
        assert client.response().body == patterned.read_bytes()
        assert client.response().body == b"next"
    assert server.memory("VmHWM") - before < 8 * MEBIBYTE
