"""Behind real proxies, on every row: the application is told the client that they were told."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from tests.certificates import HOST, Authority
from tests.conftest import Serve
from tests.proxies import haproxy, nginx
from tests.rows import Row
from tests.server import ServerProcess

APP = "tests.apps.told:app"
# Any address of this network is this machine, and only the first is trusted.
CLIENT = "127.0.0.5"
BOUND = 60.0  # seconds


@dataclass
class Site:
    """The servers, and the ports of the proxies in front of them."""

    fields: ServerProcess
    header: ServerProcess
    authority: Authority
    nginx: dict[str, int]
    haproxy: dict[str, int]


@pytest.fixture(scope="module")
def site(serve_module: Serve, row: Row, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Return servers of one row behind proxies."""
    folder = tmp_path_factory.mktemp("proxies")
    path = Path(folder, "socket")
    trusted = ("--forwarded-allow-ips", "127.0.0.1,unix")
    listens = ("--bind", "127.0.0.1:0", "--bind", f"unix:{path}")
    fields = serve_module(*listens, *trusted, row=row, app=APP)
    header = serve_module("--proxy-protocol", row=row, app=APP)
    authority = Authority(folder)
    options = authority.issue("server").options
    secure = serve_module("--proxy-protocol", *options, row=row, app=APP)
    targets = {
        "fields": fields.port,
        "header": header.port,
        "secure": secure.port,
        "socket": path,
    }
    with nginx(folder, targets) as front, haproxy(folder, targets) as other:
        yield Site(fields, header, authority, front, other)


def connection(port: int) -> socket.socket:
    """Connect as a client with an address of its own."""
    return socket.create_connection(("127.0.0.1", port), BOUND, (CLIENT, 0))


def ask(port: int, **fields: str) -> tuple[dict[str, Any], int]:
    """Return what the application says of a request, and the client's port."""
    asking = http.client.HTTPConnection("127.0.0.1", port)
    asking.sock = connection(port)
    try:
        asking.request("GET", "/", headers=fields)
        return json.loads(asking.getresponse().read()), asking.sock.getsockname()[1]
    finally:
        asking.close()


@pytest.mark.parametrize(
    ("proxy", "name"),
    [("nginx", "http"), ("nginx", "unix"), ("nginx", "chain"), ("haproxy", "http")],
)
def test_fields_of_a_proxy(site: Site, proxy: str, name: str) -> None:
    port = getattr(site, proxy)[name]
    told, _ = ask(port, **{"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "http"})
    assert told["client"] == [CLIENT, 0]
    assert told["scheme"] == "https"
    assert told["host"] == f"127.0.0.1:{port}"


@pytest.mark.parametrize(
    ("proxy", "name"), [("nginx", "stream"), ("haproxy", "v1"), ("haproxy", "v2")]
)
def test_proxy_protocol(site: Site, proxy: str, name: str) -> None:
    port = getattr(site, proxy)[name]
    told, own = ask(port, **{"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https"})
    assert told["client"] == [CLIENT, own]
    assert told["server"] == ["127.0.0.1", port]
    assert told["scheme"] == "http"


def test_proxy_protocol_before_tls(site: Site) -> None:
    port = site.haproxy["tls"]
    with connection(port) as plain:
        own = plain.getsockname()[1]
        with site.authority.client().wrap_socket(plain, server_hostname=HOST) as client:
            client.sendall(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
            answer = http.client.HTTPResponse(client)
            answer.begin()
            told = json.loads(answer.read())
    assert told == {
        "client": [CLIENT, own],
        "server": ["127.0.0.1", port],
        "scheme": "https",
        "host": "a",
    }


@pytest.mark.parametrize(
    ("proxy", "name", "scheme"),
    [
        *[("nginx", "http", "wss"), ("nginx", "chain", "wss"), ("nginx", "stream", "ws")],
        *[("haproxy", "http", "wss"), ("haproxy", "v1", "ws"), ("haproxy", "v2", "ws")],
    ],
)
def test_websocket(site: Site, proxy: str, name: str, scheme: str) -> None:
    port = getattr(site, proxy)[name]
    with connect(f"ws://127.0.0.1:{port}/", sock=connection(port), open_timeout=BOUND) as client:
        told = json.loads(client.recv(BOUND))
    assert told["client"][0] == CLIENT
    assert told["scheme"] == scheme


def test_access_log_shows_the_client(site: Site) -> None:
    ask(site.nginx["http"])
    site.fields.stdout.wait_for(rf'{CLIENT}:0 - "GET / HTTP/1.1" 200')
    _, own = ask(site.haproxy["v2"])
    site.header.stdout.wait_for(rf'{CLIENT}:{own} - "GET / HTTP/1.1" 200')


def test_client_without_the_proxy(site: Site) -> None:
    """It comes from an address that nobody trusts, whatever it says."""
    told, own = ask(site.fields.port, **{"X-Forwarded-For": "203.0.113.5"})
    assert told["client"] == [CLIENT, own]
    with connection(site.header.port) as client:
        client.sendall(b"PROXY TCP4 203.0.113.5 198.51.100.1 1 2\r\nGET / HTTP/1.0\r\n\r\n")
        try:
            assert client.recv(100) == b""
        except ConnectionResetError:
            pass
        own = client.getsockname()[1]
    site.header.stderr.wait_for(f"{CLIENT}:{own} - no PROXY protocol header: its peer is no")
