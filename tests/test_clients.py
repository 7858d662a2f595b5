"""Clients as people use them, against a real server."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import Serve
from tests.rows import Row
from tests.server import ServerProcess

MEBIBYTE = 2**20


@pytest.fixture(scope="module")
def server(serve_module: Serve, row: Row) -> ServerProcess:
    """Return a server of every row."""
    return serve_module("--no-access-log", row=row)


def curl(*arguments: str, content: bytes | None = None) -> str:
    """Run curl; return what it printed."""
    found = shutil.which("curl")
    if found is None:
        pytest.skip("curl is not installed")
    done = subprocess.run(
        [found, "--silent", "--show-error", "--fail", "--max-time", "20", *arguments],
        input=content,
        capture_output=True,
        check=True,
    )
    return done.stdout.decode()


def test_curl_gets(server: ServerProcess) -> None:
    assert curl(f"{server.url}/") == "hello"


def test_curl_sees_the_head(server: ServerProcess) -> None:
    head = curl("--head", f"{server.url}/").splitlines()
    assert head[0] == "HTTP/1.1 200 OK"
    assert "content-length: 5" in head


def test_curl_reuses_its_connection(server: ServerProcess) -> None:
    url = f"{server.url}/"
    report = curl("--write-out", " %{num_connects}\n", url, url, url)
    assert report.split() == ["hello", "1", "hello", "0", "hello", "0"]


def test_curl_uploads_with_expectation(server: ServerProcess, tmp_path: Path) -> None:
    """It waits for 100 (Continue) before it sends a large content."""
    content = tmp_path / "content"
    content.write_bytes(b"u" * (3 * MEBIBYTE))
    wait = ("--header", "Expect: 100-continue", "--expect100-timeout", "15")
    shown = curl(*wait, "--max-time", "10", "--upload-file", str(content), f"{server.url}/count")
    assert shown == str(3 * MEBIBYTE)


def test_curl_uploads_chunked(server: ServerProcess) -> None:
    sent = b"c" * MEBIBYTE
    chunked = ("--header", "Transfer-Encoding: chunked", "--data-binary", "@-")
    assert curl(*chunked, f"{server.url}/count", content=sent) == str(MEBIBYTE)


def test_curl_speaks_http_1_0(server: ServerProcess) -> None:
    assert curl("--http1.0", f"{server.url}/") == "hello"


def test_http_client_reuses_one_connection_for_1000_requests(server: ServerProcess) -> None:
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    client.connect()
    first = client.sock
    assert first is not None
    place = first.getsockname()
    for _ in range(1000):
        client.request("GET", "/")
        answer = client.getresponse()
        assert (answer.status, answer.read()) == (200, b"hello")
        assert client.sock is not None
        assert client.sock.getsockname() == place
    client.close()


def test_http_client_uploads_from_an_iterator(server: ServerProcess) -> None:
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    client.request("POST", "/count", body=(b"i" * 70_000 for _ in range(10)), encode_chunked=True)
    assert client.getresponse().read() == b"700000"
    client.close()


def test_httpx_gets_the_scope(server: ServerProcess) -> None:
    shown = httpx.get(f"{server.url}/a%20b?q=1", headers={"X-Name": "value"}).json()
    assert shown["path"] == "'/a b'"
    assert shown["query_string"] == "b'q=1'"
    assert "(b'x-name', b'value')" in shown["headers"]


def test_httpx_streams_both_ways(server: ServerProcess) -> None:
    def pieces() -> Iterator[bytes]:
        for number in range(50):
            yield b"%d," % number * 1000

    with httpx.stream("POST", f"{server.url}/echo", content=pieces()) as answer:
        echoed = b"".join(answer.iter_raw())
    assert echoed == b"".join(pieces())


def test_httpx_leaves_a_stream_before_its_end(serve: Serve, row: Row) -> None:
    own = serve(row=row)
    with httpx.stream("GET", f"{own.url}/stream") as answer:
        assert next(answer.iter_raw()).startswith(b"tick")
    own.stdout.wait_for("# stream: ClientDisconnected")


def test_many_clients_at_once(server: ServerProcess) -> None:
    """20 clients with 25 requests each: every one gets its own answers."""
    wrong: list[str] = []

    def work(name: int) -> None:
        with httpx.Client(base_url=server.url, timeout=60) as client:
            for number in range(25):
                query = f"{name}-{number}"
                shown = json.loads(client.get(f"/scope?{query}").content)
                if shown["query_string"] != repr(query.encode()):
                    wrong.append(f"{query}: {shown['query_string']}")

    threads = [threading.Thread(target=work, args=(name,)) for name in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
