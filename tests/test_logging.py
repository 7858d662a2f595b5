"""The log of a running server: levels, lines, colours, where it goes.

What clients may put into it is in tests/hardening.
"""

from __future__ import annotations

import os
import pty
import re
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from tests.client import Connection
from tests.conftest import STAGE, Serve
from tests.rows import Row
from tests.server import ESG, LINE_BOUND, REPOSITORY, ServerProcess, environment


@pytest.fixture(scope="module")
def plain(serve_module: Serve, row: Row) -> ServerProcess:
    """Return a server of every row with the default log."""
    return serve_module(row=row)


def test_start_up_line_names_what_serves(plain: ServerProcess, row: Row) -> None:
    (line,) = plain.stderr.matching("listening on")
    python = r"\w+ \d+\.\d+\.\d+"
    name = rf"ESG \S+ \({row.impl} on {row.loop}, {python}\)"
    assert re.fullmatch(rf"INFO:     {name} listening on {plain.url}", line)


def test_access_line(plain: ServerProcess) -> None:
    with plain.connect() as client:
        port = client.socket.getsockname()[1]
        client.get("/scope?a=%20b")
        client.request("/", "HEAD")
        client.response("HEAD")
    peer = rf"^INFO:     127\.0\.0\.1:{port} - "
    plain.stdout.wait_for(peer + r'"GET /scope\?a=%20b HTTP/1\.1" 200$')
    plain.stdout.wait_for(peer + r'"HEAD / HTTP/1\.1" 200$')


def test_rejected_request(plain: ServerProcess) -> None:
    """It is in the server's log, and not among the responses."""
    with plain.connect() as client, plain.connect() as other:
        port = client.socket.getsockname()[1]
        client.send(b"GET /rejected HTTP/1.1\r\n\r\n")
        assert client.response().status == 400
        assert other.get("/after").status == 200
    plain.stderr.wait_for(rf"^WARNING:  127\.0\.0\.1:{port} - rejected with 400: \S.*[Hh]ost")
    plain.stdout.wait_for("GET /after")
    assert not plain.stdout.matching("/rejected")


def test_trace_has_every_message_with_content_as_sizes(serve: Serve, row: Row) -> None:
    server = serve("--log-level", "trace", row=row)
    with server.connect() as client:
        client.request("/echo", "POST", content=b"secret")
        assert client.response().body == b"secret"
    server.stderr.wait_for("http .* returned")
    shown = server.stderr.matching("^TRACE: .*http #")
    kinds = [re.sub(r"TRACE: +http #\d+ ", "", line)[:40] for line in shown]
    assert kinds[0].startswith("started {'type': 'http'")
    assert kinds[1].startswith("sent {'type': 'http.response.start'")
    assert kinds[2].startswith("received {'type': 'http.request'")
    assert any("'body': <6 bytes>" in line for line in shown)
    assert "secret" not in server.stderr.text


@pytest.mark.parametrize(
    ("level", "shown"),
    [("critical", set()), ("error", {"ERROR"}), ("warning", {"ERROR", "WARNING"})],
)
def test_quiet_levels(level: str, shown: set[str]) -> None:
    """The listener is ours, so that no line need tell where the server listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.fileno()
        arguments = ["--fd", str(number), "--log-level", level, "--impl", "pure", STAGE]
        server = ServerProcess(arguments, pass_fds=[number])
        try:
            for sent in (b"bad\r\n\r\n", b"GET /ill?what=ValueError HTTP/1.1\r\nHost: a\r\n\r\n"):
                with Connection(listener.getsockname()) as client:
                    client.send(sent)
                    assert client.response().status >= 400
            assert server.stop() == 0
        finally:
            server.end()
    found = {m[1] for line in server.stderr() if (m := re.match(r"([A-Z]+): ", line))}
    assert found == shown


def test_name_of_a_unix_peer_is_not_logged(serve: Serve, tmp_path: Path) -> None:
    server = serve("--uds", str(tmp_path / "socket"))
    with socket.socket(socket.AF_UNIX) as client:
        client.bind(str(tmp_path / "peer\nERROR:    forged"))
        client.connect(str(tmp_path / "socket"))
        client.sendall(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 200")
    server.stdout.wait_for('^INFO:     unix - "GET / HTTP/1.1" 200$')
    assert not server.stdout.matching("forged")


def test_name_of_a_unix_peer_is_not_in_a_rejection(serve: Serve, row: Row, tmp_path: Path) -> None:
    server = serve("--uds", str(tmp_path / "socket"), row=row)
    with socket.socket(socket.AF_UNIX) as peer, Connection(str(tmp_path / "socket")) as other:
        peer.bind(str(tmp_path / "peer\nERROR:    forged"))
        peer.connect(str(tmp_path / "socket"))
        peer.sendall(b"no request\r\n\r\n")
        server.stderr.wait_for("^WARNING:  unix - rejected with 400: ")
        assert other.get("/").status == 200
    assert not server.stderr.matching("forged")


def test_closed_standard_output(serve: Serve, row: Row) -> None:
    """As by `esg app >&-`: nothing to log responses to, and no error."""
    command = ("sh", "-c", 'exec "$@" >&-', "sh", *ESG)
    server = serve(app="examples.hello:app", row=row, command=command)
    with Connection(server.address) as client:
        assert client.get("/").status == 200
    assert server.stop() == 0
    assert not server.stderr.matching("Traceback|Logging error")


def test_closed_standard_error(row: Row) -> None:
    """As by `esg app 2>&-`; the listener is the test's own, as nothing says where it is."""
    command = ("sh", "-c", 'exec "$@" 2>&-', "sh", *ESG)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.fileno()
        arguments = [*row.options, "--fd", str(number), STAGE]
        server = ServerProcess(arguments, command=command, pass_fds=[number])
        try:
            with Connection(listener.getsockname()) as client:
                assert client.get("/").status == 200
            assert server.stop() == 0
        finally:
            server.end()


def lines_on_a_terminal(*options: str, **variables: str) -> str:
    """Start a server whose output is a terminal; return what it writes until it listens."""
    outer, inner = pty.openpty()
    process = subprocess.Popen(
        [*ESG, "--impl", "pure", "--port", "0", *options, STAGE],
        stdin=subprocess.DEVNULL,
        stdout=inner,
        stderr=inner,
        env=environment(variables),
        cwd=REPOSITORY,
    )
    os.close(inner)
    killer = threading.Timer(LINE_BOUND, process.kill)
    killer.start()
    written = b""
    try:
        while b"listening on" not in written:
            written += os.read(outer, 4096)
    finally:
        killer.cancel()
        process.terminate()
        process.wait()
        os.close(outer)
    return written.decode()


def test_colours_on_a_terminal() -> None:
    assert "\033[32mINFO:\033[0m     ESG" in lines_on_a_terminal()


@pytest.mark.parametrize(
    ("options", "variables"), [((), {"NO_COLOR": "1"}), (("--no-use-colors",), {})]
)
def test_no_colours_on_a_terminal(options: tuple[str, ...], variables: dict[str, str]) -> None:
    assert "\033" not in lines_on_a_terminal(*options, **variables)


def test_no_colours_in_a_pipe(serve: Serve) -> None:
    server = serve(env={"TERM": "xterm-256color"})
    assert "\033" not in server.stderr.text
