"""What the application sends as content, and how it is framed."""

from __future__ import annotations

from tests.conformance.behaviours import answer, body, chunked, send, special, start
from tests.conformance.cases.asgi_send.build import BODY, CHUNKED, ERRORS, LENGTH, START, says
from tests.conformance.cases.build import case, hello, ok
from tests.conformance.model import Case, Level, Response

FRAMING = "RFC 9112 section 6"
OLD_GET = b"GET / HTTP/1.0\r\n\r\n"


def _content() -> list[Case]:
    return [
        says(
            "length",
            30,
            START,
            "status, headers in order, and the content",
            answer(
                b"abc",
                201,
                [(b"x-b", b"1"), (b"Content-Length", b"3"), (b"X-A", b"2"), (b"x-b", b"3")],
            ),
            Response(
                201,
                {"transfer-encoding": None, "content-length": "3"},
                body=b"abc",
                in_order=((b"x-b", b"1"), (b"x-a", b"2"), (b"x-b", b"3")),
            ),
        ),
        says(
            "no-headers-key",
            34,
            START,
            "headers may be left out",
            (send({"type": "http.response.start", "status": 200}), send(body(b"x"))),
            ok(b"x"),
        ),
        says(
            "chunked",
            31,
            FRAMING,
            "without Content-Length it is chunked",
            chunked(b"ab", b"c"),
            ok(b"abc", ours=CHUNKED),
        ),
        says(
            "chunked-one-event",
            31,
            FRAMING,
            "one body event without Content-Length",
            (send(start()), send(body(b"abc"))),
            ok(b"abc"),
        ),
        says(
            "chunked-empty",
            31,
            FRAMING,
            "no content without Content-Length",
            (send(start()), send(body(b""))),
            ok(b""),
        ),
        case(
            "http-1.0",
            31,
            FRAMING,
            "HTTP/1.0 gets no chunked: the close ends the content",
            OLD_GET,
            app=(chunked(b"ab", b"c"),),
            responses=(
                ok(
                    b"abc",
                    fields={"transfer-encoding": None},
                    ours={"content-length": None, "connection": "close"},
                ),
            ),
        ),
        case(
            "http-1.0-length",
            31,
            FRAMING,
            "HTTP/1.0 with Content-Length",
            OLD_GET,
            responses=(hello(fields={"transfer-encoding": None}),),
        ),
        says(
            "empty-more",
            32,
            "RFC 9112 section 7.1",
            "an empty body event writes no last chunk",
            (
                send(start()),
                send(body(b"", True)),
                send(body(b"ab", True)),
                send(body(b"", True)),
                send(body(b"c", True)),
                send(body(b"", False)),
            ),
            ok(b"abc", ours=CHUNKED),
        ),
        says(
            "empty-more-length",
            32,
            BODY,
            "empty body events beside a Content-Length",
            (
                send(start(200, [LENGTH])),
                send(body(b"", True)),
                send(body(b"hello", True)),
                send(body(b"", False)),
            ),
            ok(b"hello"),
        ),
        says(
            "body-key-missing",
            34,
            BODY,
            "a missing body is empty",
            (send(start(200, [(b"content-length", b"0")])), send({"type": "http.response.body"})),
            ok(b""),
        ),
        says(
            "many-events",
            31,
            BODY,
            "a hundred body events",
            (send(start()), ("send_many", body(b"0123456789", True), 100), send(body(b"", False))),
            ok(b"0123456789" * 100),
        ),
        says(
            "mib-one-event",
            30,
            BODY,
            "a mebibyte in one event",
            (
                send(start(200, [(b"content-length", b"1048576")])),
                send(body(special("zeros", 1_048_576))),
            ),
            ok(body_size=1_048_576),
        ),
        says(
            "mib-chunked",
            31,
            BODY,
            "a mebibyte in one chunk",
            (send(start()), send(body(special("zeros", 1_048_576)))),
            ok(body_size=1_048_576),
        ),
        says(
            "bytearray",
            36,
            BODY,
            "a bytearray is as good as bytes",
            (send(start(200, [LENGTH])), send(body(special("bytearray", b"hello")))),
            ok(b"hello"),
            level=Level.CHOICE,
        ),
        says(
            "memoryview",
            36,
            BODY,
            "a memoryview is as good as bytes",
            (send(start(200, [LENGTH])), send(body(special("memoryview", b"hello")))),
            ok(b"hello"),
            level=Level.CHOICE,
        ),
        says(
            "bytes-subclass",
            36,
            BODY,
            "of a subclass of bytes only the octets count",
            (send(start()), send(body(special("odd bytes", b"hello")))),
            ok(b"hello"),
            level=Level.CHOICE,
        ),
        says(
            "extra-keys",
            40,
            ERRORS,
            "unknown keys of a message are ignored",
            (
                send(start(200, [LENGTH], extra=1, trailers=False)),
                send({**body(b"hello"), "extra": 2}),
            ),
            ok(b"hello"),
            level=Level.SHOULD,
        ),
    ]


CASES = tuple(_content())
