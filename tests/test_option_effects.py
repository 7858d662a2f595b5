"""Every option of the command line has an effect on a running server: one check for each."""

from __future__ import annotations

import json
import re
import signal
import socket
import ssl
import stat
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import TypeAlias, cast

import pytest

from esg.config import Config
from esg.options import option_of
from tests.certificates import PASSWORD, Authority, encrypted
from tests.client import Connection, Response
from tests.conformance.websocket_frames import PING
from tests.conftest import Serve, require
from tests.rows import FIRST_ROW, Row
from tests.server import ServerProcess
from tests.websocket_client import WebSocket

Check: TypeAlias = Callable[[Serve, Path], None]
EFFECTS: dict[str, Check] = {}
OPTIONS = [f.name for f in fields(Config) if option_of(f)]
FAST_ROW = Row("fast", "uvloop")


def effect(check: Check) -> Check:
    """Take a function as the check of the option whose name it bears."""
    EFFECTS[check.__name__] = check
    return check


@pytest.mark.parametrize("on", [FIRST_ROW, FAST_ROW], ids=lambda row: row.id)
@pytest.mark.parametrize("option", OPTIONS)
def test_option_has_its_effect(option: str, on: Row, serve: Serve, tmp_path: Path) -> None:
    assert option in EFFECTS, "a new option needs a check here"
    EFFECTS[option](cast(Serve, partial(serve, row=require(on))), tmp_path)


def test_there_is_no_check_without_an_option() -> None:
    assert set(EFFECTS) == set(OPTIONS)


def get(server: ServerProcess, target: str = "/") -> Response:
    with server.connect() as client:
        return client.get(target)


def seconds_until_closed(client: Connection) -> float:
    began = time.monotonic()
    assert client.at_end()
    return time.monotonic() - began


@effect
def host(serve: Serve, folder: Path) -> None:
    server = serve("--host", "127.0.0.2")
    assert server.address == ("127.0.0.2", server.port)
    assert get(server).status == 200


@effect
def port(serve: Serve, folder: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    server = serve("--port", str(free))
    assert server.port == free
    assert get(server).status == 200


@effect
def uds(serve: Serve, folder: Path) -> None:
    path = str(folder / "socket")
    server = serve("--uds", path)
    assert server.address == path
    assert get(server).status == 200


@effect
def fd(serve: Serve, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.fileno()
        server = serve("--fd", str(number), pass_fds=[number])
        assert server.port == listener.getsockname()[1]
    assert get(server).status == 200


@effect
def bind(serve: Serve, folder: Path) -> None:
    path = folder / "socket"
    server = serve("--bind", "127.0.0.1:0", "--bind", f"unix:{path}")
    assert get(server).status == 200
    server.address = str(path)
    assert get(server).status == 200


@effect
def uds_permissions(serve: Serve, folder: Path) -> None:
    path = folder / "socket"
    serve("--uds", str(path), "--uds-permissions", "600")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@effect
def reuse_port(serve: Serve, folder: Path) -> None:
    server = serve("--reuse-port")
    another = serve("--reuse-port", "--port", str(server.port))
    assert server.stop() == 0
    assert get(another).status == 200


@effect
def backlog(serve: Serve, folder: Path) -> None:
    """A process that is halted shows how many connections the kernel keeps for it."""
    server = serve("--backlog", "1")
    server.send_signal(signal.SIGSTOP)
    clients = [socket.socket() for _ in range(6)]
    try:
        for client in clients:
            client.settimeout(0.1)
            client.connect_ex(("127.0.0.1", server.port))
        kept = [client for client in clients if _is_connected(client)]
        assert len(kept) == 2  # Linux keeps one more than it is asked to
    finally:
        for client in clients:
            client.close()
        server.send_signal(signal.SIGCONT)


def _is_connected(client: socket.socket) -> bool:
    try:
        client.getpeername()
    except OSError:
        return False
    return True


TOLD = [
    ("X-Forwarded-For", "203.0.113.5, 127.0.0.1"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "example.com"),
    ("Forwarded", "for=203.0.113.6"),
]


def told(server: ServerProcess) -> str:
    """Return the scope of a request that a proxy has told of."""
    with server.connect() as client:
        client.request("/scope-of-it", fields=TOLD)
        return client.response().text


@effect
def proxy_headers(serve: Serve, folder: Path) -> None:
    for options in ((), ("--proxy-headers",)):
        assert '"client": "(\'203.0.113.5\', 0)"' in told(serve(*options))
    shown = told(serve("--no-proxy-headers"))
    assert '"client": "(\'127.0.0.1\', ' in shown
    assert '"scheme": "\'http\'"' in shown


@effect
def forwarded_allow_ips(serve: Serve, folder: Path) -> None:
    for trusted in ("127.0.0.0/8", "*", "10.0.0.1, 127.0.0.1"):
        assert '"scheme": "\'https\'"' in told(serve("--forwarded-allow-ips", trusted))
    for trusted in ("10.0.0.1", "unix", ""):
        assert '"scheme": "\'http\'"' in told(serve("--forwarded-allow-ips", trusted))


@effect
def forwarded_fields(serve: Serve, folder: Path) -> None:
    shown = told(serve("--forwarded-fields", "forwarded"))
    assert '"client": "(\'203.0.113.6\', 0)"' in shown
    shown = told(serve("--forwarded-fields", "host"))
    assert '"client": "(\'127.0.0.1\', ' in shown
    assert '"server": "(\'example.com\', 80)"' in shown


@effect
def ssl_certfile(serve: Serve, folder: Path) -> None:
    """Its file may hold the key, too."""
    authority = Authority(folder)
    pair = authority.issue("server")
    with pair.certfile.open("ab") as file:
        file.write(pair.keyfile.read_bytes())
    server = serve("--ssl-certfile", str(pair.certfile))
    assert server.url.startswith("https://")
    assert answers(server, authority.client())


def answers(server: ServerProcess, tls: ssl.SSLContext, server_name: str = "localhost") -> bool:
    with server.connect(tls=tls, server_name=server_name) as client:
        return client.get("/").status == 200


@effect
def ssl_keyfile(serve: Serve, folder: Path) -> None:
    authority = Authority(folder)
    assert answers(serve(*authority.issue("server").options), authority.client())


@effect
def ssl_keyfile_password(serve: Serve, folder: Path) -> None:
    authority = Authority(folder)
    pair = encrypted(authority.issue("server"))
    server = serve(*pair.options, "--ssl-keyfile-password", PASSWORD)
    assert answers(server, authority.client())


@effect
def ssl_sni(serve: Serve, folder: Path) -> None:
    authority = Authority(folder)
    named = authority.issue("named", "*.example.org")
    option = f"*.example.org={named.certfile},{named.keyfile}"
    server = serve(*authority.issue("server").options, "--ssl-sni", option)
    for name in ("localhost", "a.example.org"):
        assert answers(server, authority.client(), name)


@effect
def ssl_cert_reqs(serve: Serve, folder: Path) -> None:
    authority = Authority(folder)
    pair = authority.issue("server")
    options = (*pair.options, "--ssl-ca-certs", str(authority.file), "--ssl-cert-reqs")
    assert answers(serve(*options, "none"), authority.client())
    assert answers(serve(*options, "optional"), authority.client())
    server = serve(*options, "required")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        answers(server, authority.client())
    assert answers(server, authority.client(pair))


@effect
def ssl_ca_certs(serve: Serve, folder: Path) -> None:
    (folder / "other").mkdir()
    authority, other = Authority(folder), Authority(folder / "other")
    options = (*authority.issue("server").options, "--ssl-cert-reqs", "optional")
    server = serve(*options, "--ssl-ca-certs", str(other.file))
    assert answers(server, authority.client(other.issue("client")))
    with pytest.raises((ssl.SSLError, ConnectionError)):
        answers(server, authority.client(authority.issue("client")))


@effect
def ssl_version(serve: Serve, folder: Path) -> None:
    authority = Authority(folder)
    old, new = authority.client(), authority.client()
    old.maximum_version, new.minimum_version = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
    pair = authority.issue("server")
    for version, clients in (("tls1.2", (old, new)), ("tls1.3", (new,)), ("5", (old,))):
        server = serve(*pair.options, "--ssl-version", version)
        for client in (old, new):
            if client in clients:
                assert answers(server, client)
            else:
                with pytest.raises(ssl.SSLError):
                    answers(server, client)


@effect
def ssl_ciphers(serve: Serve, folder: Path) -> None:
    authority = Authority(folder)
    suites = ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384")
    server = serve(*authority.issue("server").options, "--ssl-ciphers", suites[0])
    client = authority.client()
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    client.set_ciphers(suites[0])
    assert answers(server, client)
    client.set_ciphers(suites[1])
    with pytest.raises(ssl.SSLError):
        answers(server, client)


@effect
def proxy_protocol(serve: Serve, folder: Path) -> None:
    server = serve("--proxy-protocol")
    with server.connect() as client:
        client.send(b"PROXY TCP4 203.0.113.7 198.51.100.1 4711 443\r\n")
        assert '"client": "(\'203.0.113.7\', 4711)"' in client.get("/scope-of-it").text
    with server.connect() as client:
        client.send(b"GET / HTTP/1.1\r\n\r\n")
        assert client.at_end()


@effect
def factory(serve: Serve, folder: Path) -> None:
    assert get(serve("--factory", app="tests.apps.stage:make_app")).body == b"hello"


@effect
def app_dir(serve: Serve, folder: Path) -> None:
    (folder / "placed.py").write_text("from tests.apps.stage import app\n", "utf-8")
    assert get(serve("--app-dir", str(folder), app="placed:app")).body == b"hello"


@effect
def interface(serve: Serve, folder: Path) -> None:
    """The standard library's validator does not tell what it is."""
    (folder / "validated.py").write_text(
        "from wsgiref.validate import validator\n"
        "from tests.apps.wsgi_stage import route\n"
        "app = validator(route)\n",
        "utf-8",
    )
    place = ("--app-dir", str(folder))
    assert get(serve(*place, "--interface", "wsgi", app="validated:app")).body == b"hello"
    assert get(serve(*place, app="validated:app")).status == 500


@effect
def wsgi_threads(serve: Serve, folder: Path) -> None:
    """With one thread the second request waits for the first."""
    server = serve("--wsgi-threads", "1", app="tests.apps.wsgi_stage:app")
    with server.connect() as first, server.connect() as second:
        first.request("/stuck")
        server.stdout.wait_for("# stuck: begun")
        second.request("/stuck")
        server.open_gate()
        assert first.response().body == b"too late"
        server.stdout.wait_for("# stuck: begun", count=2)
        server.open_gate()
        assert second.response().body == b"too late"
    server.stdout.wait_for("# stuck: sent", count=2)
    assert server.stdout.matching("# stuck") == [f"# stuck: {w}" for w in ("begun", "sent") * 2]


@effect
def root_path(serve: Serve, folder: Path) -> None:
    shown = get(serve("--root-path", "/mounted"), "/scope-of-it").text
    assert '"root_path": "\'/mounted\'"' in shown
    assert '"path": "\'/mounted/scope-of-it\'"' in shown


@effect
def env_file(serve: Serve, folder: Path) -> None:
    (folder / "settings.env").write_text("FROM_FILE=1\nFROM_BOTH=file\n", "utf-8")
    (folder / "reader.py").write_text(
        "import os\n"
        "from tests.apps.stage import app\n"
        "print('# read:', os.environ['FROM_FILE'], os.environ['FROM_BOTH'], flush=True)\n",
        "utf-8",
    )
    options = ("--app-dir", str(folder), "--env-file", str(folder / "settings.env"))
    server = serve(*options, app="reader:app", env={"FROM_BOTH": "environment"})
    assert server.stdout.matching("# read: 1 environment")


@effect
def lifespan(serve: Serve, folder: Path) -> None:
    server = serve("--lifespan", "off")
    assert server.stop() == 0
    assert not server.stdout.matching("# lifespan")
    server = serve("--lifespan", "on")
    assert server.stop() == 0
    assert server.stdout.matching("# lifespan: startup")


@effect
def impl(serve: Serve, folder: Path) -> None:
    server = serve("--impl", "pure", row=None)
    assert server.stderr.matching(r"\(pure on asyncio, ")


@effect
def loop(serve: Serve, folder: Path) -> None:
    server = serve("--loop", "trio", row=None)
    assert server.stderr.matching(r"\(pure on trio, ")


SOCKETS = "tests.apps.sockets:app"
DEFLATE = ("Sec-WebSocket-Extensions", "permessage-deflate")


def opened(server: ServerProcess, target: str = "/echo") -> WebSocket:
    client = WebSocket(server.address)
    client.open(target)
    return client


@effect
def ws(serve: Serve, folder: Path) -> None:
    for codec in ("auto", "wsproto", "websockets", "websockets-sansio"):
        with opened(serve("--ws", codec, app=SOCKETS)) as client:
            client.send_text("hello")
            assert client.next_text() == "hello"
    with WebSocket(serve("--ws", "none", app=SOCKETS).address) as client:
        assert client.ask("/").status == 200
        assert client.get("/").status == 200


@effect
def ws_max_size(serve: Serve, folder: Path) -> None:
    with opened(serve("--ws-max-size", "5", app=SOCKETS)) as client:
        client.send_text("12345")
        assert client.next_text() == "12345"
        client.send_text("123456")
        assert client.next_close()[0] == 1009


@effect
def ws_max_queue(serve: Serve, folder: Path) -> None:
    """Behind a full queue even a ping has to wait."""
    server = serve("--ws-max-queue", "2", app=SOCKETS)
    with opened(server, "/slow") as client:
        server.stdout.wait_for("# slow: waiting")
        client.send_text("one")
        client.send_frame(PING, b"first")
        client.send_text("two")
        client.send_frame(PING, b"second")
        assert client.next_frame().payload == b"first"
        client.socket.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.next_frame()
    server.open_gate()
    server.stdout.wait_for("# slow: 2 messages, then disconnect 1006")


@effect
def ws_per_message_deflate(serve: Serve, folder: Path) -> None:
    field = "sec-websocket-extensions"
    for options, compresses in (
        ((), True),
        (("--ws-per-message-deflate",), True),
        (("--ws-per-message-deflate", "true"), True),
        (("--ws-per-message-deflate", "false"), False),
        (("--no-ws-per-message-deflate",), False),
    ):
        with WebSocket(serve(*options, app=SOCKETS).address) as client:
            answer = client.open("/echo", [DEFLATE])
            assert (answer.field(field) is not None) is compresses


@effect
def ws_ping_interval(serve: Serve, folder: Path) -> None:
    with opened(serve("--ws-ping-interval", "0.1", app=SOCKETS)) as client:
        assert client.next_frame().opcode == PING
    for off in ("0", "none"):
        with opened(serve("--ws-ping-interval", off, app=SOCKETS)) as client:
            client.socket.settimeout(0.3)
            with pytest.raises(TimeoutError):
                client.next_frame()


@effect
def ws_ping_timeout(serve: Serve, folder: Path) -> None:
    given = ("--ws-ping-interval", "0.1", "--ws-ping-timeout")
    server = serve(*given, "0.1", app=SOCKETS)
    with opened(server) as client:
        assert client.next_frame().opcode == PING
        assert client.next_close()[0] == 1011
    server.stdout.wait_for("# echo: disconnect 1011")
    with opened(serve(*given, "none", app=SOCKETS)) as client:
        assert {client.next_frame().opcode for _ in range(4)} == {PING}


@effect
def ws_accept_timeout(serve: Serve, folder: Path) -> None:
    server = serve("--ws-accept-timeout", "0.3", app=SOCKETS)
    with WebSocket(server.address) as client:
        assert client.ask("/hang").status == 503
    server.stdout.wait_for("# hang: disconnect 1006")


@effect
def ws_close_timeout(serve: Serve, folder: Path) -> None:
    server = serve("--ws-close-timeout", "0.3", app=SOCKETS)
    with opened(server, "/close") as client:
        assert client.next_close() == (4002, "réason")
        assert client.at_end()
    server.stdout.wait_for("# close: disconnect 1006")


@effect
def server_header(serve: Serve, folder: Path) -> None:
    assert get(serve("--server-header")).field("server") == "esg"
    assert get(serve("--no-server-header")).field("server") is None


@effect
def date_header(serve: Serve, folder: Path) -> None:
    assert get(serve("--date-header")).field("date")
    assert get(serve("--no-date-header")).field("date") is None


@effect
def header(serve: Serve, folder: Path) -> None:
    given = ("--header", "X-First: one", "--header", "x-second:two", "--header", "Server: mine")
    answer = get(serve(*given))
    assert (answer.field("x-first"), answer.field("x-second")) == ("one", "two")
    assert answer.field("server") == "mine"


@effect
def timeout_keep_alive(serve: Serve, folder: Path) -> None:
    server = serve("--timeout-keep-alive", "0.3")
    with server.connect() as client:
        client.get("/")
        assert 0.2 < seconds_until_closed(client) < 3


@effect
def timeout_headers(serve: Serve, folder: Path) -> None:
    server = serve("--timeout-headers", "0.3")
    with server.connect() as client, server.connect() as silent:
        client.send(b"GET / HTTP/1.1\r\n")
        assert client.response().status == 408
        assert silent.at_end()


@effect
def timeout_body(serve: Serve, folder: Path) -> None:
    server = serve("--timeout-body", "0.3")
    with server.connect() as client:
        client.request("/count", "POST", [("Content-Length", "5")])
        assert client.response().status == 408


@effect
def timeout_write(serve: Serve, folder: Path) -> None:
    server = serve("--timeout-write", "0.3")
    with server.connect(receive_buffer=4096) as client:
        client.request("/big?50000000")
        server.stdout.wait_for("# big: ClientDisconnected")


@effect
def timeout_graceful_shutdown(serve: Serve, folder: Path) -> None:
    server = serve("--timeout-graceful-shutdown", "0.3")
    with server.connect() as client:
        client.request("/stall")
        server.stdout.wait_for("# stall: waiting")
        assert server.stop() == 0
    server.stderr.wait_for("within 0.3 s")


@effect
def timeout_lifespan(serve: Serve, folder: Path) -> None:
    server = serve("--timeout-lifespan", "0.3", env={"STAGE_LIFESPAN": "hang"})
    assert server.stop() == 0
    server.stderr.wait_for("within 0.3 s")


@effect
def timeout_request(serve: Serve, folder: Path) -> None:
    assert get(serve("--timeout-request", "0.2"), "/stall").status == 503


@effect
def cancel_on_disconnect(serve: Serve, folder: Path) -> None:
    server = serve("--cancel-on-disconnect", "0.1")
    with server.connect() as client:
        client.request("/stall")
        server.stdout.wait_for("# stall: waiting")
    server.stdout.wait_for(r"# stall: \w*Cancelled")


@effect
def limit_connections(serve: Serve, folder: Path) -> None:
    server = serve("--limit-connections", "1")
    with server.connect() as first, server.connect() as second:
        assert first.get("/").status == 200
        second.request("/")
        assert first.get("/").status == 200
        assert not second.is_readable()
        first.close()
        assert second.response().status == 200


@effect
def limit_concurrency(serve: Serve, folder: Path) -> None:
    """Requests count, idle connections do not."""
    server = serve("--limit-concurrency", "1", "--timeout-graceful-shutdown", "0.1")
    with server.connect() as idle, server.connect() as busy, server.connect() as more:
        assert idle.get("/").status == 200
        busy.request("/stall")
        server.stdout.wait_for("# stall: waiting")
        answer = more.get("/")
        assert (answer.status, answer.field("retry-after")) == (503, "1")
        assert answer.field("connection") == "close"


def process_of(server: ServerProcess) -> int:
    return int(get(server).body)


PROCESSES = "tests.apps.processes:app"


@effect
def workers(serve: Serve, folder: Path) -> None:
    server = serve("--workers", "2", app=PROCESSES)
    server.stderr.wait_for("Worker [0-9]+ serves", count=2)
    with ExitStack() as clients:
        kept = [clients.enter_context(server.connect()) for _ in range(16)]
        assert len({client.get("/").body for client in kept}) == 2


def site(folder: Path, answer: str) -> None:
    """Write an application that answers so, as editors do: into a new file, then renamed."""
    source = (
        "from tests.apps.stage import answer\n"
        "async def app(scope, receive, send):\n"
        f"    await answer(send, b'{answer}')\n"
    )
    (folder / "site.tmp").write_text(source, "utf-8")
    (folder / "site.tmp").rename(folder / "reloaded_site.py")


def reloading(serve: Serve, folder: Path, *options: str) -> ServerProcess:
    site(folder, "first")
    options = ("--reload", "--lifespan", "off", "--app-dir", str(folder), *options)
    server = serve(*options, app="reloaded_site:app", cwd=folder)
    assert get(server).body == b"first"
    return server


@effect
def reload(serve: Serve, folder: Path) -> None:
    server = reloading(serve, folder)
    site(folder, "second")
    server.stderr.wait_for("Worker [0-9]+ has ended")
    assert get(server).body == b"second"


@effect
def reload_dir(serve: Serve, folder: Path) -> None:
    for name in ("watched", "other"):
        (folder / name).mkdir()
    server = reloading(serve, folder, "--reload-dir", "watched", "--reload-dir", "other")
    assert server.stderr.matching(r"Watching \S+/watched, \S+/other")
    site(folder, "second")  # here nobody looks
    (folder / "other" / "file.py").touch()
    server.stderr.wait_for("Changed: .*/other/file.py; starting again")
    server.stderr.wait_for("Worker [0-9]+ has ended")
    assert get(server).body == b"second"


@effect
def reload_include(serve: Serve, folder: Path) -> None:
    """It adds to what counts."""
    server = reloading(serve, folder, "--reload-include", "*.html", "--reload-include", "*.css")
    site(folder, "second")
    server.stderr.wait_for("Worker [0-9]+ has ended")
    assert get(server).body == b"second"
    (folder / "page.html").touch()
    server.stderr.wait_for("Changed: .*/page.html; starting again")


@effect
def reload_exclude(serve: Serve, folder: Path) -> None:
    server = reloading(serve, folder, "--reload-exclude", "generated_*", "--reload-delay", "0.05")
    (folder / "generated_file.py").touch()
    (folder / "written.py").touch()
    changed = server.stderr.wait_for("Changed: .*; starting again")
    assert "generated_file" not in changed.string


@effect
def reload_delay(serve: Serve, folder: Path) -> None:
    """What changes within the delay is told at once."""
    server = reloading(serve, folder, "--reload-delay", "1")
    for name in "abc":
        (folder / f"{name}.py").touch()
    server.stderr.wait_for(r"Changed: \S+/a.py, \S+/b.py, \S+/c.py; starting again")


@effect
def worker_max_age(serve: Serve, folder: Path) -> None:
    server = serve("--worker-max-age", "0.2", app=PROCESSES)
    server.stderr.wait_for(r"Replacing worker [0-9]+: it has served for 0.2 s \(--worker-max-age\)")
    server.stderr.wait_for("Worker [0-9]+ serves", count=2)


@effect
def worker_max_rss(serve: Serve, folder: Path) -> None:
    limit = 300_000_000
    server = serve("--worker-max-rss", str(limit), app=PROCESSES)
    first = process_of(server)
    get(server, f"/leak?{limit}")
    server.stderr.wait_for(rf"Replacing worker {first}: it holds [0-9]+ bytes")
    server.stderr.wait_for(f"Worker {first} has ended")
    assert process_of(server) != first


@effect
def worker_init(serve: Serve, folder: Path) -> None:
    source = "import sys\ndef begin():\n    sys.stdout.write('# begin\\n')\n"
    (folder / "hooks.py").write_text(source, "utf-8")
    server = serve("--app-dir", str(folder), "--worker-init", "hooks:begin")
    assert len(server.stdout.matching("# begin")) == 1
    server = serve("--app-dir", str(folder), "--worker-init", "hooks:begin", "--workers", "2")
    server.stdout.wait_for("# begin", count=2)


@effect
def timeout_worker_healthcheck(serve: Serve, folder: Path) -> None:
    """A worker whose loop is blocked shows where, and another one takes its place."""
    options = ("--timeout-worker-healthcheck", "1", "--workers", "2")
    server = serve(*options, app=PROCESSES)
    with server.connect() as client:
        client.request("/block")
        blocked = server.stdout.wait_for("# block: ([0-9]+)")[1]
        server.stderr.wait_for(f"Worker {blocked} is stuck: its event loop has been blocked")
        server.stderr.wait_for("processes.py.* in app")
        server.stderr.wait_for(f"Worker {blocked} has ended")
    server.stderr.wait_for("Worker [0-9]+ serves", count=3)


@effect
def limit_max_requests_jitter(serve: Serve, folder: Path) -> None:
    server = serve("--limit-max-requests", "1", "--limit-max-requests-jitter", "1000000")
    with server.connect() as client:
        kept = [client.get("/").field("connection") for _ in range(3)]
    assert kept == [None, None, None]


@effect
def limit_max_requests(serve: Serve, folder: Path) -> None:
    server = serve("--limit-max-requests", "3")
    with server.connect() as client:
        kept = [client.get("/").field("connection") for _ in range(3)]
    assert kept == [None, None, "close"]
    assert server.wait_exit() == 0
    assert server.stderr.matching("INFO.*--limit-max-requests")


@effect
def limit_head_size(serve: Serve, folder: Path) -> None:
    assert _status_with(serve("--limit-head-size", "256"), [("A", "a" * 300)]) == 431


@effect
def limit_fields(serve: Serve, folder: Path) -> None:
    server = serve("--limit-fields", "3")  # Host is the first
    assert _status_with(server, [("A", "a")] * 2) == 200
    assert _status_with(server, [("A", "a")] * 3) == 431


def _status_with(server: ServerProcess, given: list[tuple[str, str]]) -> int:
    with server.connect() as client:
        client.request("/", fields=given)
        return client.response().status


@effect
def limit_target_size(serve: Serve, folder: Path) -> None:
    server = serve("--limit-target-size", "10")
    assert get(server, "/234567890").status == 200
    assert get(server, "/2345678901").status == 414


@effect
def limit_body_size(serve: Serve, folder: Path) -> None:
    server = serve("--limit-body-size", "10")
    for size, status in ((10, 200), (11, 413)):
        with server.connect() as client:
            client.request("/count", "POST", content=b"x" * size)
            assert client.response().status == status


@effect
def log_level(serve: Serve, folder: Path) -> None:
    server = serve("--log-level", "trace")
    get(server)
    server.stderr.wait_for("^TRACE: ")


@effect
def access_log(serve: Serve, folder: Path) -> None:
    server = serve("--access-log")
    get(server)
    server.stdout.wait_for('"GET / HTTP/1.1" 200$')
    server = serve("--no-access-log")
    get(server)
    assert server.stop() == 0
    assert not server.stdout.matching("GET")


@effect
def log_config(serve: Serve, folder: Path) -> None:
    target = folder / "esg.log"
    configuration = {
        "formatters": {"mine": {"format": "mine %(levelname)s %(status)s %(user_agent)s"}},
        "handlers": {
            "file": {"class": "logging.FileHandler", "filename": str(target), "formatter": "mine"},
            "console": {"class": "logging.StreamHandler"},
        },
        "loggers": {
            "esg": {"handlers": ["console"]},
            "esg.access": {"handlers": ["file"], "propagate": False},
        },
    }
    (folder / "log.json").write_text(json.dumps(configuration), "utf-8")
    server = serve("--log-config", str(folder / "log.json"))
    with server.connect() as client:
        client.request("/", fields=[("User-Agent", "me")])
        assert client.response().status == 200
    assert server.stop() == 0
    assert target.read_text("utf-8") == "mine INFO 200 me\n"


@effect
def access_log_format(serve: Serve, folder: Path) -> None:
    server = serve("--access-log-format", "%(m)s %(U)s %(B)s %({content-type}o)s %({x-me}i)s <")
    with server.connect() as client:
        client.request("/a?b", fields=[("X-Me", "mine")])
        size = len(client.response().body)
    server.stdout.wait_for(rf"^GET /a {size} application/json mine <$")
    server = serve("--access-log-format", "json")
    get(server, "/hello")
    line = server.stdout.wait_for('"path": "/hello"').string
    assert json.loads(line)["status"] == 200


@effect
def access_log_exclude(serve: Serve, folder: Path) -> None:
    server = serve("--access-log-exclude", "/health", "--access-log-exclude", "/static/*")
    for target in ("/health", "/static/a/b?c", "/healthy"):
        get(server, target)
    assert server.stop() == 0
    assert [found for found in server.stdout.matching("GET") if "healthy" not in found] == []
    assert server.stdout.matching("GET /healthy")


@effect
def use_colors(serve: Serve, folder: Path) -> None:
    green = re.escape("\033[32mINFO:\033[0m")
    server = serve("--use-colors")
    get(server)
    assert server.stderr.matching(green)
    server.stdout.wait_for(green)
    assert not serve("--no-use-colors").stderr.matching("\033")
