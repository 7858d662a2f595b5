"""uvicorn's own documented command lines start ESG unchanged.

The lines are those of uvicorn's pages on installation, settings, deployment, Docker and event
loops, and every option of uvicorn 0.54 with the value that its help or its pages show. Only ports
and paths are the test's.
"""

from __future__ import annotations

import re
import shlex
import socket
import ssl
import sys
from contextlib import ExitStack, closing
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

import pytest
import trustme

from esg.cli import main
from tests.client import SILENCE_BOUND, Connection
from tests.server import ESG, START_BOUND, ServerProcess, run_esg

MODULE = """
async def app(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200,
                "headers": [[b"content-type", b"text/plain"], [b"content-length", b"5"]]})
    await send({"type": "http.response.body", "body": b"hello"})
App = app
def create_app():
    return app
"""
# After the program's name. {socket} is a path that is free.
LINES = (
    "example:app",
    "main:app",
    "main:app --host 0.0.0.0 --port 8000",
    "main:app --reload --port 5000",
    "example:app --reload",
    "main:app --workers 4",
    "--factory example:create_app",
    "example:create_app --factory --port 5000",
    "--fd 0 main:App",
    "main:app --fd 3",
    "--uds {socket} main:app",
    "main:app --port 5000 --ssl-keyfile=./key.pem --ssl-certfile=./cert.pem",
    "main:app --host '::1'",
    "main:app --env-file=.env",
    "main:app --proxy-headers --forwarded-allow-ips='*'",
    "main:app --proxy-headers --forwarded-allow-ips=127.0.0.1,10.100.0.0/16,/path/to/socket.sock",
    "main:app --log-level debug --no-access-log",
    "main:app --app-dir=. --lifespan off --loop asyncio --http h11 --ws wsproto",
)
# Every option, alone.
OPTIONS = (
    "--host 127.0.0.1",
    "--port 8000",
    "--uds {socket}",
    "--fd 3",
    "--reload",
    "--reload-dir .",
    "--reload-include '*.html' --reload-include '*.py'",
    "--reload-exclude '.*'",
    "--reload-delay 0.25",
    "--workers 1",
    "--loop auto",
    "--loop asyncio",
    "--loop uvloop",
    "--http auto",
    "--http h11",
    "--http httptools",
    "--ws auto",
    "--ws none",
    "--ws websockets",
    "--ws websockets-sansio",
    "--ws wsproto",
    "--ws-max-size 16777216",
    "--ws-max-queue 32",
    "--ws-ping-interval 20.0",
    "--ws-ping-timeout 20.0",
    "--ws-per-message-deflate True",
    "--ws-per-message-deflate False",
    "--lifespan auto",
    "--lifespan on",
    "--lifespan off",
    "--interface auto",
    "--interface asgi3",
    "--interface asgi2",
    "--interface wsgi",
    "--env-file .env",
    "--log-config log.json",
    "--log-config log.ini",
    "--log-config log.yaml",
    "--log-level critical",
    "--log-level error",
    "--log-level warning",
    "--log-level info",
    "--log-level debug",
    "--log-level trace",
    "--access-log",
    "--no-access-log",
    "--use-colors",
    "--no-use-colors",
    "--proxy-headers",
    "--no-proxy-headers",
    "--server-header",
    "--no-server-header",
    "--date-header",
    "--no-date-header",
    "--forwarded-allow-ips '*'",
    "--root-path /api",
    "--limit-concurrency 100",
    "--backlog 2048",
    "--limit-max-requests 1000",
    "--limit-max-requests-jitter 10",
    "--timeout-keep-alive 5",
    "--timeout-graceful-shutdown 30",
    "--timeout-worker-healthcheck 5",
    "--ssl-keyfile key.pem --ssl-certfile cert.pem",
    "--ssl-keyfile key.pem --ssl-certfile cert.pem --ssl-keyfile-password secret",
    "--ssl-keyfile key.pem --ssl-certfile cert.pem --ssl-version 17",
    "--ssl-keyfile key.pem --ssl-certfile cert.pem --ssl-cert-reqs 0",
    "--ssl-keyfile key.pem --ssl-certfile cert.pem --ssl-ca-certs cert.pem",
    "--ssl-keyfile key.pem --ssl-certfile cert.pem --ssl-ciphers ECDHE+AESGCM",
    "--header 'X-Name: value'",
    "--app-dir .",
    "--h11-max-incomplete-event-size 16384",
    "--reset-contextvars",
    "--factory",
)
# What ESG has not, by a line that says so.
REFUSED = {
    "main:app --loop=rloop:new_event_loop": "--loop): must be one of auto, asyncio, uvloop, trio",
    "main:app --loop zuvloop": "--loop): must be one of auto, asyncio, uvloop, trio",
    "main:app --http zttp": "--http: must be one of auto, h11, httptools",
    "main:app --http2": "--http2: ESG speaks HTTP/1.1",
    "main:app --reload --workers 4": "contradict each other",
}
# Run with a listening socket as descriptor 0 or 3, which is what a process manager does.
HANDED_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), int(sys.argv[2]))
os.execv(sys.executable, [sys.executable, "-W", "error", "-m", "esg", *sys.argv[3:]])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a directory that has what the lines name."""
    for module in ("main", "example"):
        (tmp_path / f"{module}.py").write_text(MODULE, "utf-8")
    for name in (".env", "log.json", "log.yaml", "log.ini", "key.pem", "cert.pem"):
        (tmp_path / name).touch()
    return tmp_path


def with_certificate(folder: Path) -> ssl.SSLContext:
    """Write a server's key and certificate; return what trusts it."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    issued.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    return trusting


@pytest.mark.parametrize("line", LINES)
def test_a_line_starts_esg(line: str, folder: Path) -> None:
    trusting = with_certificate(folder) if "--ssl" in line else None
    fd = re.search("--fd ([03])", line)
    with ExitStack() as ended:
        listener = ended.enter_context(socket.create_server(("127.0.0.1", 0)))
        number = listener.fileno()
        command = (sys.executable, "-c", HANDED_OVER, str(number), fd[1]) if fd else ESG
        place = () if fd or "--uds" in line else ("--port", "0")
        words = [*shlex.split(line.replace("{socket}", str(folder / "socket"))), *place]
        server = ServerProcess(words, cwd=folder, pass_fds=[number], command=command)
        ended.callback(server.end)
        found = server.stderr.wait_for(LISTENING, within=START_BOUND)
        assert found["scheme"] == ("https" if trusting else "http" if found["port"] else None)
        assert body_from(found, trusting) == b"hello"
        assert server.stop() == 0


LISTENING = r"listening on ((?P<scheme>https?)://\S+:(?P<port>\d+)|unix:(?P<path>\S+))"


def body_from(found: re.Match[str], trusting: ssl.SSLContext | None) -> bytes:
    if found["path"]:
        with Connection(found["path"]) as client:
            return client.get("/").body
    host, port = "::1" if "[::1]" in found[0] else "127.0.0.1", int(found["port"])
    made = (
        HTTPSConnection(host, port, timeout=SILENCE_BOUND, context=trusting)
        if trusting
        else HTTPConnection(host, port, timeout=SILENCE_BOUND)
    )
    with closing(made) as client:
        client.request("GET", "/")
        return client.getresponse().read()


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_is_understood(
    option: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    words = shlex.split(option.replace("{socket}", str(folder / "socket")))
    with pytest.raises(SystemExit) as ended:
        main(["main:app", *words, "--print-config"], prog_name="esg")
    assert ended.value.code == 0, capsys.readouterr().err


@pytest.mark.parametrize("line", REFUSED)
def test_what_esg_has_not_is_said(line: str, folder: Path) -> None:
    done = run_esg(*shlex.split(line), cwd=folder)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert REFUSED[line] in done.stderr


PROGRAM = """
import logging
import esg

if __name__ == "__main__":
    esg.run("main:app", host="127.0.0.1", port=0, log_level=logging.INFO, http="h11", workers=None,
            headers=[("X-Name", "value")], timeout_graceful_shutdown=None, reset_contextvars=True)
"""


def test_a_program_that_runs_esg_as_it_ran_uvicorn(folder: Path) -> None:
    (folder / "program.py").write_text(PROGRAM, "utf-8")
    command = (sys.executable, "-W", "error", "program.py")
    with ExitStack() as ended:
        server = ServerProcess([], cwd=folder, command=command)
        ended.callback(server.end)
        server.wait_started()
        assert server.stderr.matching("--http h11 is taken as --impl pure")
        with server.connect() as client:
            assert client.get("/").field("x-name") == "value"
        assert server.stop() == 0
