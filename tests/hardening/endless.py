"""What a request may consist of that does not end: data for ESG's tests and for other servers."""

from __future__ import annotations

from dataclasses import dataclass

from tests.hardening.memory import MEBIBYTE

HOST = b"Host: test\r\n"
HEAD = b"GET / HTTP/1.1\r\n" + HOST
CHUNKED = b"POST /count HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
FIELDS = b"Name: %b\r\n" % (b"v" * 94) * 10_000


@dataclass(frozen=True)
class Endless:
    """Something that does not end: its beginning, what goes on, and the answer."""

    begin: bytes
    block: bytes
    status: int


ENDLESS = {
    "head": Endless(HEAD, FIELDS, 431),
    "field-name": Endless(HEAD, b"n" * MEBIBYTE, 431),
    "field-value": Endless(HEAD + b"X: ", b"v" * MEBIBYTE, 431),
    "field-value-of-spaces": Endless(HEAD + b"X: ", b" " * MEBIBYTE, 431),
    "target": Endless(b"GET /", b"t" * MEBIBYTE, 414),
    "method": Endless(b"", b"M" * MEBIBYTE, 431),
    "version": Endless(b"GET / HTTP/1.1", b"1" * MEBIBYTE, 431),
    "blank-lines": Endless(b"", b"\r\n" * (MEBIBYTE // 2), 400),
    "chunk-size": Endless(CHUNKED, b"0" * MEBIBYTE, 400),
    "chunk-extension": Endless(CHUNKED + b"1;", b"e" * MEBIBYTE, 400),
    "trailers": Endless(CHUNKED + b"0\r\n", FIELDS, 431),
    "trailer-value": Endless(CHUNKED + b"0\r\nX: ", b"v" * MEBIBYTE, 431),
}
