"""What every site is put to: one function for each check, over real connections.

GET  /items/{number}?q=   its number, its query and its URL, as JSON
POST /json                the same JSON again
POST /form                the form as JSON
POST /upload              "name" of a multipart form, "filename" and "sha256" of its file
POST /count               the number of bytes of a streamed content
GET  /stream              the pieces of `stage.PIECES`; behind each one it waits at the gate
POST /open                opens the gate once
GET  /file                a file
GET  /cookies             the cookies as JSON; sets two
GET  /background          "answered"; then waits at the gate, then tells "worked"
GET  /error, /broken      fails before its first byte, and behind it
GET  /endless             a stream that tells "stream ended" at its end
GET  /patient             tells "waiting", and "left" when its client has left
GET  /state               what the lifespan has opened
WebSocket /ws             sends every message back, closes at "close", tells "socket closed"
WebSocket /refused        is not accepted
"""

from __future__ import annotations

import hashlib
import http.client
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import unquote

import httpx
import pytest

from tests.conformance.websocket_frames import BINARY
from tests.ecosystem.site import Site, decoded
from tests.ecosystem.sites.stage import BEGINNING, PIECES, SUBPROTOCOL

# How far the peak of a server's memory may lie above what it had.
MEMORY_BOUND = 32 * 2**20


def routing(site: Site) -> None:
    found = decoded(site.client.get("/items/7", params={"q": "é"}))
    assert (found["number"], found["q"]) == (7, "é")
    assert unquote(found["url"]).startswith(f"{site.server.url}/items/7")
    assert site.client.get("/nothing").status_code == 404


def json(site: Site) -> None:
    sent = {"text": "é" * 50_000, "list": [1, 2.5, None, {"deep": [True]}]}
    assert decoded(site.client.post("/json", json=sent)) == sent


def form(site: Site) -> None:
    assert decoded(site.client.post("/form", data={"name": "é=&+"})) == {"name": "é=&+"}


def upload(site: Site) -> None:
    site.client.get("/nothing")
    before = site.server.memory()
    with site.large.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    with site.large.open("rb") as file:
        answer = site.client.post(
            "/upload", data={"name": "é"}, files={"upload": ("large.bin", file)}
        )
    assert decoded(answer) == {"name": "é", "filename": "large.bin", "sha256": digest}
    assert site.server.memory("VmHWM") - before < MEMORY_BOUND


def streamed_request(site: Site) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(200):
            yield b"x" * 16_384

    assert decoded(site.client.post("/count", content=pieces())) == 200 * 16_384


def streamed_response(site: Site) -> None:
    """Each piece has to come while the site waits behind it."""
    with site.client.stream("GET", "/stream") as answer:
        lines = answer.iter_lines()
        for piece in PIECES:
            assert next(lines) == piece.strip()
            site.open_gate()
        assert list(lines) == []


def file(site: Site) -> None:
    content = site.file.read_bytes()
    target = site.framework.file
    whole = site.client.get(target)
    assert whole.content == content
    assert whole.headers["content-length"] == str(len(content))
    assert site.client.get(target).content == content
    if site.framework.ranges:
        part = site.client.get(target, headers={"Range": "bytes=1000-1999"})
        assert (part.status_code, part.content) == (206, content[1000:2000])


def cookies(site: Site) -> None:
    with httpx.Client(base_url=site.server.url) as client:
        answer = client.get("/cookies", headers={"Cookie": "a=1; b=2"})
    assert decoded(answer) == {"a": "1", "b": "2"}
    assert len(answer.headers.get_list("set-cookie")) == 2


def background(site: Site) -> None:
    """The client has its answer, and the next one on the same connection, while work goes on."""
    since = site.mark
    with site.server.connect() as client:
        assert "answered" in client.get("/background").text
        assert client.get("/nothing").status == 404
        assert "# worked" not in site.server.stdout()[since:]
        site.open_gate()
        site.wait_told("worked", since)


def websocket(site: Site) -> None:
    with site.socket() as client:
        answer = client.open("/ws", fields=[("Sec-WebSocket-Protocol", f"other, {SUBPROTOCOL}")])
        assert answer.field("sec-websocket-protocol") == SUBPROTOCOL
        for size in (1, 70_000):
            client.send_text("é" * size)
            assert client.next_text() == "é" * size
        if site.framework.binary_messages:
            client.send_frame(BINARY, bytes(range(256)))
            assert client.next_frame().payload == bytes(range(256))
        client.send_text("close")
        assert client.next_close()[0] == 4001
        client.send_close(4001)
        assert client.at_end()
    with site.socket() as client:
        assert client.ask("/refused").status == 403


def lifespan(site: Site) -> None:
    site.wait_told("startup")
    assert site.server.stdout()[0] == "# startup"
    assert "open" in site.client.get("/state").text


def exception(site: Site) -> None:
    """A connection that is not said to be closed takes the next request."""
    with site.server.connect() as client:
        answer = client.get("/error")
        assert answer.status == 500
        if answer.field("connection") != "close":
            assert client.get("/nothing").status == 404
    assert site.client.get("/nothing").status_code == 404


def exception_in_stream(site: Site) -> None:
    """The client must not take half of an answer for all of it."""
    with site.server.connect() as client:
        client.request("/broken")
        with pytest.raises(http.client.IncompleteRead) as error:
            client.response()
    assert error.value.partial.decode() == BEGINNING
    assert site.client.get("/nothing").status_code == 404


@contextmanager
def endless(site: Site) -> Iterator[http.client.HTTPResponse]:
    """Open the stream that does not end, read a little, and leave."""
    with site.server.connect() as client:
        client.request("/endless")
        stream = client.start_response()
        assert b"tick" in stream.read(10)
        yield stream


def disconnect_in_stream(site: Site) -> None:
    """It is an everyday event: ESG says nothing of it in the log."""
    since = site.mark
    with endless(site):
        pass
    site.wait_told("stream ended", since)
    assert site.client.get("/nothing").status_code == 404
    assert "ClientDisconnected" not in site.server.stderr.text


def disconnect_while_waiting(site: Site) -> None:
    since = site.mark
    with site.server.connect() as client:
        client.request("/patient")
        site.wait_told("waiting", since)
    site.wait_told("left", since)


def disconnect_of_websocket(site: Site) -> None:
    """A connection that is lost, and one that is closed."""
    for code in (1006, 3001):
        since = site.mark
        with site.socket() as client:
            client.open("/ws")
            client.send_text("here")
            assert client.next_text() == "here"
            if code != 1006:
                client.send_close(code)
                assert client.next_close()[0] == code
        site.wait_told(rf"socket closed( {code})?", since)


def shutdown(site: Site) -> None:
    """With a stream and a WebSocket open: both are told, the lifespan ends, then the process."""
    since = site.mark
    with endless(site) as stream, site.socket() as client:
        if "WebSocket" not in site.framework.lacks:
            client.open("/ws")
        assert site.stop() == site.target.exit_code
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            stream.read()
        if "WebSocket" not in site.framework.lacks:
            assert client.next_close()[0] == 1012
            site.wait_told("socket closed( 1012)?", since)
    site.wait_told("stream ended", since)
    if "lifespan" not in site.framework.lacks:
        site.wait_told("shutdown", since)


# In this order: the last one ends the server.
CONTRACT: Mapping[str, Callable[[Site], None]] = {
    "lifespan": lifespan,
    "routing": routing,
    "JSON": json,
    "form": form,
    "50 MiB upload": upload,
    "streamed request": streamed_request,
    "streamed response": streamed_response,
    "file": file,
    "cookies": cookies,
    "background task": background,
    "WebSocket": websocket,
    "exception": exception,
    "exception in a stream": exception_in_stream,
    "client leaves a stream": disconnect_in_stream,
    "client leaves a waiting request": disconnect_while_waiting,
    "client leaves a WebSocket": disconnect_of_websocket,
    "shutdown with a stream open": shutdown,
}
