"""Fields that the application gives, beside those of the server."""

from __future__ import annotations

from typing import Any

from tests.conformance.behaviours import (
    HELLO,
    HELLO_BODY,
    answer,
    body,
    send,
    sized,
    special,
    start,
)
from tests.conformance.cases.asgi_send.build import CHUNKED, FIELDS, LENGTH, START, says
from tests.conformance.cases.build import hello, ok
from tests.conformance.model import Case, Level


def _headers() -> list[Case]:
    def holder(name: str, headers: Any) -> Case:
        return says(
            f"headers-{name}",
            35,
            START,
            "headers are any iterable of iterables",
            (send(start(200, headers)), send(body(b"hello"))),
            ok(b"hello", fields={"x-a": "1", "content-length": "5"}),
        )

    pairs = [(b"x-a", b"1"), LENGTH]
    return [
        holder("list-of-lists", [list(pair) for pair in pairs]),
        holder("tuple-of-tuples", tuple(pairs)),
        holder("generator", special("generator", pairs)),
        says(
            "transfer-encoding-ignored",
            33,
            START,
            "the application's Transfer-Encoding is dropped",
            answer(b"abc", headers=[(b"transfer-encoding", b"chunked")]),
            ok(b"abc", ours=CHUNKED),
        ),
        says(
            "transfer-encoding-beside-length",
            33,
            START,
            "and never sent beside Content-Length",
            answer(b"hello", headers=[(b"Transfer-Encoding", b"chunked"), LENGTH]),
            ok(b"hello", ours={"transfer-encoding": None, "content-length": "5"}),
        ),
        says(
            "transfer-encoding-gzip",
            33,
            START,
            "whatever it says",
            answer(b"abc", headers=[(b"transfer-encoding", b"gzip")]),
            ok(b"abc", ours=CHUNKED),
        ),
        says(
            "own-date",
            50,
            "RFC 9110 section 6.6.1",
            "the application's Date replaces the server's",
            answer(headers=[(b"Date", b"Sun, 06 Nov 1994 08:49:37 GMT"), *sized(HELLO_BODY)]),
            hello(fields={"date": "Sun, 06 Nov 1994 08:49:37 GMT"}),
        ),
        says(
            "own-server",
            50,
            "RFC 9110 section 10.2.4",
            "the application's Server replaces it",
            answer(headers=[(b"Server", b"mine"), *sized(HELLO_BODY)]),
            hello(fields={"server": "mine"}),
        ),
        says(
            "obs-text-value",
            41,
            FIELDS,
            "octets beyond ASCII pass in a value",
            answer(headers=[(b"x-a", b"caf\xe9"), *sized(HELLO_BODY)]),
            hello(fields={"x-a": "caf\xe9"}),
        ),
        says(
            "tab-in-value",
            41,
            FIELDS,
            "a tab passes in a value",
            answer(headers=[(b"x-a", b"a\tb"), *sized(HELLO_BODY)]),
            hello(fields={"x-a": "a\tb"}),
        ),
        says(
            "empty-value",
            41,
            FIELDS,
            "a value may be empty",
            answer(headers=[(b"x-a", b""), *sized(HELLO_BODY)]),
            hello(fields={"x-a": ""}),
        ),
        says(
            "set-cookie-twice",
            30,
            START,
            "Set-Cookie lines stay apart",
            answer(headers=[(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), *sized(HELLO_BODY)]),
            hello(in_order=((b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"))),
        ),
        says(
            "no-server-header",
            50,
            "quality",
            "--no-server-header",
            HELLO,
            hello(fields={"server": None}),
            options=("--no-server-header",),
            level=Level.CHOICE,
        ),
        says(
            "no-date-header",
            50,
            "quality",
            "--no-date-header",
            HELLO,
            hello(fields={"date": None}),
            options=("--no-date-header",),
            level=Level.CHOICE,
        ),
        says(
            "default-header",
            50,
            "quality",
            "--header adds a field, unless the application set it",
            answer(headers=[(b"X-B", b"app"), *sized(HELLO_BODY)]),
            hello(fields={"x-a": "1", "x-b": "app"}),
            options=("--header", "X-A:1", "--header", "X-B: 2"),
            level=Level.CHOICE,
        ),
    ]


CASES = tuple(_headers())
