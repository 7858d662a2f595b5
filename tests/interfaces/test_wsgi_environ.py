"""From scopes to environs: strings that carry bytes, paths that are split, fields that are joined."""

from __future__ import annotations

from typing import Any

import pytest

from esg.interfaces.wsgi_environ import FileWrapper, environ_of


def environ(**changes: Any) -> dict[str, Any]:
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "http_version": "1.1",
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "root_path": "",
        "headers": [],
        "client": ("192.0.2.1", 1234),
        "server": ("192.0.2.2", 80),
    }
    return environ_of(scope | changes)


@pytest.mark.parametrize(
    ("root_path", "raw_path", "script_name", "path_info"),
    [
        ("", b"/", "", "/"),
        ("", b"/a%2Fb%20c", "", "/a/b c"),
        ("", b"/%C3%A9%FF%zz", "", "/\xc3\xa9\xff%zz"),
        ("", b"*", "", ""),
        ("/api", b"/api/x", "/api", "/x"),
        ("/api", b"/api", "/api", ""),
        ("/api", b"/api/", "/api", "/"),
        ("/api", b"/apix", "/api", "/apix"),
        ("/api", b"/x", "/api", "/x"),
        ("/api", b"/%61pi/x", "/api", "/x"),
        ("/api", b"*", "/api", ""),
        ("/é", b"/%C3%A9/x", "/\xc3\xa9", "/x"),
    ],
)
def test_paths(root_path: str, raw_path: bytes, script_name: str, path_info: str) -> None:
    found = environ(root_path=root_path, raw_path=raw_path)
    assert (found["SCRIPT_NAME"], found["PATH_INFO"]) == (script_name, path_info)


def test_target() -> None:
    found = environ(raw_path=b"/%61", query_string=b"b=%20")
    assert (found["REQUEST_URI"], found["QUERY_STRING"]) == ("/%61?b=%20", "b=%20")
    assert environ()["REQUEST_URI"] == "/"


def test_fields() -> None:
    headers = [
        (b"host", b"example.org"),
        (b"x-one", b"1"),
        (b"cookie", b"a=1"),
        (b"x-one", b"\xe9"),
        (b"cookie", b"b=2"),
        (b"content-type", b"text/plain"),
        (b"content-length", b"5"),
        (b"x_one", b"smuggled"),
        (b"content_length", b"smuggled"),
    ]
    found = environ(headers=headers)
    fields = {name: value for name, value in found.items() if name.startswith(("HTTP_", "CONTENT"))}
    assert fields == {
        "HTTP_HOST": "example.org",
        "HTTP_X_ONE": "1,\xe9",
        "HTTP_COOKIE": "a=1; b=2",
        "CONTENT_TYPE": "text/plain",
        "CONTENT_LENGTH": "5",
    }


@pytest.mark.parametrize(
    ("changes", "name", "port", "remote"),
    [
        ({}, "192.0.2.2", "80", ("192.0.2.1", "1234")),
        ({"server": ("::1", 8000), "client": ("::2", 5)}, "::1", "8000", ("::2", "5")),
        ({"server": ("/run/socket", None), "client": None}, "localhost", "80", ("", None)),
        ({"client": ("192.0.2.3", 0)}, "192.0.2.2", "80", ("192.0.2.3", None)),
        ({"server": None, "client": None, "scheme": "https"}, "localhost", "443", ("", None)),
    ],
)
def test_addresses(
    changes: dict[str, Any], name: str, port: str, remote: tuple[str, str | None]
) -> None:
    found = environ(**changes)
    assert (found["SERVER_NAME"], found["SERVER_PORT"]) == (name, port)
    assert (found["REMOTE_ADDR"], found.get("REMOTE_PORT")) == remote
    assert found["wsgi.url_scheme"] == changes.get("scheme", "http")


def test_file_wrapper_reads_large_blocks_and_closes() -> None:
    asked: list[int] = []

    class File:
        closed = False

        def read(self, size: int) -> bytes:
            asked.append(size)
            return b"" if len(asked) > 1 else b"content"

        def close(self) -> None:
            self.closed = True

    file = File()
    wrapper = FileWrapper(file, 4096)
    assert list(wrapper) == [b"content"]
    wrapper.close()
    assert (asked, file.closed) == ([65536, 65536], True)
