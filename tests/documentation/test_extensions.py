"""docs/extensions.md: every sample of it is served, and does what is said there."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.documentation.pages import page
from tests.rows import Row

SAMPLES = {of.file: of.text for of in page("docs/extensions.md").in_language("python")}
LINES = b"one\ntwo\nthree\n"
HANDSHAKE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
CLOSES = "Connection: close\r\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with all samples in it."""
    for name, text in SAMPLES.items():
        (tmp_path / f"{name}.py").write_text(text, "utf-8")
    return tmp_path


def answer(
    serve: Serve, row: Row, folder: Path, name: str, fields: str = ""
) -> tuple[bytes, bytes]:
    """Serve a sample and return what comes of a request: up to the first empty line, and the rest."""
    server = serve("--app-dir", str(folder), app=f"{name}:app", row=row, cwd=folder)
    with server.connect() as client:
        client.send(f"GET / HTTP/1.1\r\nHost: test\r\n{CLOSES}{fields}\r\n".encode())
        head, _, rest = client.read_to_end().partition(b"\r\n\r\n")
    assert not server.stderr.matching("ERROR")
    return head, rest


def test_samples_are_found() -> None:
    assert set(SAMPLES) == {"denial", "hints", "parts", "paths", "trailers"}


def test_trailers(serve: Serve, row: Row, folder: Path) -> None:
    head, rest = answer(serve, row, folder, "trailers", "TE: trailers\r\n")
    assert b"trailer: x-sha256" in head
    digest = hashlib.sha256(LINES).hexdigest().encode()
    assert rest.endswith(b"0\r\nx-sha256: " + digest + b"\r\n\r\n")


def test_no_trailers(serve: Serve, row: Row, folder: Path) -> None:
    head, rest = answer(serve, row, folder, "trailers")
    assert b"trailer:" not in head
    assert rest.endswith(b"\r\n0\r\n\r\n")


def test_hints(serve: Serve, row: Row, folder: Path) -> None:
    head, rest = answer(serve, row, folder, "hints")
    assert head.startswith(b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>")
    assert rest.startswith(b"HTTP/1.1 200 OK\r\n")


def test_paths(serve: Serve, row: Row, folder: Path) -> None:
    head, rest = answer(serve, row, folder, "paths")
    text = SAMPLES["paths"].encode()
    assert b"content-length: %d" % len(text) in head
    assert rest == text


def test_parts(serve: Serve, row: Row, folder: Path) -> None:
    _, rest = answer(serve, row, folder, "parts")
    text = SAMPLES["parts"].encode()
    assert rest == (b"8\r\nparts.py\r\n7\r\n says:\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(text), text))


def test_denial(serve: Serve, row: Row, folder: Path) -> None:
    head, rest = answer(serve, row, folder, "denial", HANDSHAKE)
    assert head.startswith(b"HTTP/1.1 401 Unauthorized\r\n")
    assert rest == b"Log in first.\n"
