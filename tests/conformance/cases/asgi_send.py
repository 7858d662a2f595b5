"""What send() takes, refuses and writes (ASGI HTTP 2.5, "Response Start" and "Body")."""

from __future__ import annotations

from typing import Any

from tests.conformance.behaviours import (
    HELLO,
    HELLO_BODY,
    READ_BODY,
    answer,
    body,
    chunked,
    send,
    sized,
    special,
    start,
    try_send,
)
from tests.conformance.cases.build import (
    RETURNED,
    START_SENT,
    accepted,
    case,
    error,
    get,
    hello,
    ok,
    refused,
)
from tests.conformance.model import (
    AwaitBytes,
    AwaitGate,
    AwaitQuiet,
    Call,
    Case,
    Fate,
    HeaderConstraint,
    Level,
    Open,
    Response,
    ResumeReading,
    Script,
    StopReading,
)

START = "ASGI HTTP 2.5, Response Start"
BODY = "ASGI HTTP 2.5, Response Body"
ERRORS = "ASGI 3.0, Error Handling"
FRAMING = "RFC 9112 section 6"
FIELDS = "RFC 9110 sections 5.5 and 5.6.2"
OLD_GET = b"GET / HTTP/1.0\r\n\r\n"
CHUNKED: dict[str, HeaderConstraint] = {"transfer-encoding": "chunked", "content-length": None}
LENGTH = (b"content-length", b"5")


def says(
    id: str,
    number: int,
    clause: str,
    words: str,
    app: Script,
    *responses: Response,
    sent: bytes = get(),
    **more: Any,
) -> Case:
    """Write a case of one request, what the application sends, and what comes of it."""
    return accepted(id, number, clause, words, sent, app=(app,), responses=responses, **more)


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


def _refusals() -> list[Case]:
    def start_refused(
        name: str, number: int, clause: str, bad: Any, error: str = "Exception", **more: Any
    ) -> Case:
        # That nothing unlawful is written binds every server: see `verdict.unsound`.
        more.setdefault("level", Level.CHOICE)
        return says(
            f"refused-{name}",
            number,
            clause,
            "send() raises, nothing is written, and a sound response may follow",
            (try_send(bad), *HELLO),
            hello(raw_lacks=(b"evil",)),
            calls=(Call(holds=(refused(bad.get("type", "None"), error), RETURNED)),),
            **more,
        )

    def header(name: str, key: Any, value: Any, error: str = "Exception") -> Case:
        return start_refused(f"header-{name}", 41, FIELDS, start(200, [(key, value)]), error)

    names = {
        "space": b"x evil",
        "empty": b"",
        "colon": b":evil",
        "colon-inside": b"x:evil",
        "cr": b"x\revil",
        "lf": b"x\nevil",
        "nul": b"x\x00evil",
        "high-octet": b"evil\xe9",
        "tab": b"x\tevil",
        "parenthesis": b"evil()",
        "crlf": b"x: 1\r\nevil",
    }
    values = {
        "cr": b"1\revil",
        "lf": b"1\nevil",
        "nul": b"1\x00evil",
        "crlf": b"1\r\nevil: 1",
        "control": b"1\x01evil",
        "delete": b"1\x7fevil",
        "trailing-crlf": b"evil\r\n",
        "response-splitting": b"1\r\n\r\n<evil>",
    }
    statuses = {
        "99": 99,
        "0": 0,
        "1000": 1000,
        "negative": -1,
        "string": "200",
        "float": 200.0,
        "none": None,
        "bytes": b"200",
        "100": 100,
        "101": 101,
        "103": 103,
        "199": 199,
    }
    lengths = {
        "letters": b"evil",
        "negative": b"-5",
        "plus": b"+5",
        "list": b"5, 5",
        "empty": b"",
        "fraction": b"5.0",
    }
    # That send() raises is recommended; what becomes of a response that has begun, nobody says.
    raised = (Call(holds=(refused("http.response.body"),)),)
    cut = (Response(200, complete=False, raw_lacks=(b"evil",)),)
    given_up = case("", 36, ERRORS, "", responses=cut, calls=raised, fate=Fate.GONE)
    return [
        *(header(f"name-{name}", key, b"1") for name, key in names.items()),
        *(header(f"value-{name}", b"x-a", value) for name, value in values.items()),
        start_refused("header-str-name", 42, ERRORS, start(200, [("x-evil", b"1")])),
        start_refused("header-str-value", 42, ERRORS, start(200, [(b"x-a", "evil")])),
        start_refused("header-int-value", 42, ERRORS, start(200, [(b"x-evil", 1)])),
        start_refused("header-none", 42, ERRORS, start(200, [(b"x-evil", None)])),
        *(
            start_refused(
                f"status-{name}", 43, "RFC 9110 section 15", start(status), level=Level.CHOICE
            )
            for name, status in statuses.items()
        ),
        *(
            start_refused(
                f"length-{name}",
                45,
                "RFC 9110 section 8.6",
                start(200, [(b"content-length", value)]),
                level=Level.CHOICE,
            )
            for name, value in lengths.items()
        ),
        start_refused(
            "length-twice",
            45,
            "RFC 9110 section 8.6",
            start(200, [LENGTH, LENGTH]),
            level=Level.CHOICE,
        ),
        start_refused("body-first", 37, ERRORS, body(b"evil")),
        start_refused("unknown-type", 39, ERRORS, {"type": "http.response.evil"}),
        start_refused("websocket-type", 39, ERRORS, {"type": "websocket.accept"}),
        start_refused("lifespan-type", 39, ERRORS, {"type": "lifespan.startup.complete"}),
        start_refused("no-type", 39, ERRORS, {"status": 200}),
        start_refused("no-status", 39, ERRORS, {"type": "http.response.start"}),
        says(
            "refused-body-str",
            36,
            ERRORS,
            "a str body raises before anything is written",
            (send(start(200, sized(HELLO_BODY))), try_send(body("evil")), send(body(HELLO_BODY))),
            hello(raw_lacks=(b"evil",)),
            calls=raised,
            or_else=(given_up,),
            level=Level.SHOULD,
        ),
        says(
            "refused-body-int",
            36,
            ERRORS,
            "an int body raises, too",
            (send(start(200, sized(HELLO_BODY))), try_send(body(5)), send(body(HELLO_BODY))),
            hello(),
            calls=raised,
            or_else=(given_up,),
            level=Level.SHOULD,
        ),
        says(
            "refused-body-none",
            36,
            ERRORS,
            "so does None",
            (send(start(200, sized(HELLO_BODY))), try_send(body(None)), send(body(HELLO_BODY))),
            hello(),
            calls=raised,
            or_else=(given_up,),
            level=Level.SHOULD,
        ),
        says(
            "refused-second-start",
            38,
            ERRORS,
            "a second start raises; the first one holds",
            (
                send(start(200, sized(HELLO_BODY))),
                try_send(start(500, [(b"x-evil", b"1")])),
                send(body(HELLO_BODY)),
            ),
            hello(raw_lacks=(b"evil",)),
            calls=(Call(holds=(refused("http.response.start"), RETURNED)),),
            level=Level.SHOULD,
        ),
        says(
            "refused-start-in-body",
            38,
            ERRORS,
            "so does a start between body events",
            (
                send(start()),
                send(body(b"one", True)),
                try_send(start(500)),
                send(body(b"two", False)),
            ),
            ok(b"onetwo"),
            calls=(Call(holds=(refused("http.response.start"), RETURNED)),),
            level=Level.SHOULD,
        ),
        says(
            "refused-unknown-in-body",
            39,
            ERRORS,
            "an unknown message between body events",
            (
                send(start()),
                send(body(b"one", True)),
                try_send({"type": "http.response.evil"}),
                send(body(b"two", False)),
            ),
            ok(b"onetwo"),
            calls=(Call(holds=(refused("http.response.evil"), RETURNED)),),
            level=Level.SHOULD,
        ),
        says(
            "status-enum",
            43,
            "RFC 9110 section 15",
            "an IntEnum is an int",
            (send(start(special("HTTPStatus", 202), sized(HELLO_BODY))), send(body(HELLO_BODY))),
            Response(202, body=HELLO_BODY),
            level=Level.CHOICE,
        ),
        *(
            says(
                f"status-{status}",
                44,
                "RFC 9110 section 15",
                "codes without a name are sent",
                answer(status=status),
                Response(status, body=HELLO_BODY),
            )
            for status in (299, 418, 499, 599)
        ),
    ]


def _lengths() -> list[Case]:
    clause = "RFC 9110 section 8.6, RFC 9112 section 8"
    sized_start = send(start(200, [LENGTH]))
    body_refused = (Call(holds=(refused("http.response.body"),)),)

    def wrong(name: str, words: str, app: Script, *responses: Response, **more: Any) -> Case:
        more.setdefault("fate", Fate.GONE)
        return case(
            f"length-{name}",
            45 if name.startswith("exceeded") else 46,
            clause,
            words,
            get(),
            app=(app,),
            responses=responses,
            calls=body_refused,
            level=Level.CHOICE,
            **more,
        )

    return [
        wrong(
            "exceeded-at-once",
            "too much in the first event: nothing is written, hence a 500",
            (sized_start, try_send(body(b"0123456789"))),
            error(500, raw_lacks=(b"0123",)),
            fate=Fate.CLOSED,
        ),
        wrong(
            "exceeded-then-repaired",
            "a sound response may follow",
            (sized_start, try_send(body(b"0123456789")), *HELLO),
            hello(),
            fate=Fate.KEPT,
        ),
        wrong(
            "exceeded-later",
            "too much later: none of it is written, the connection ends",
            (sized_start, send(body(b"hel", True)), try_send(body(b"lo, world", False))),
            Response(200, complete=False, raw_lacks=(b"lo, world",)),
        ),
        wrong(
            "exceeded-after-full",
            "too much after the length was reached",
            (sized_start, send(body(b"hello", True)), try_send(body(b"evil", False))),
            Response(200, body=b"hello", raw_lacks=(b"evil",)),
        ),
        wrong(
            "short-at-once",
            "too little in a final first event: nothing is written",
            (sized_start, try_send(body(b"abc"))),
            error(500),
            fate=Fate.CLOSED,
        ),
        wrong(
            "short-then-repaired",
            "a sound response may follow",
            (sized_start, try_send(body(b"abc")), *HELLO),
            hello(),
            fate=Fate.KEPT,
        ),
        wrong(
            "short-later",
            "too little at the end: the connection ends, the client can tell",
            (sized_start, send(body(b"he", True)), try_send(body(b"l", False))),
            Response(200, complete=False),
        ),
        wrong(
            "empty-final",
            "nothing at all at the end",
            (sized_start, send(body(b"he", True)), try_send(body(b"", False))),
            Response(200, complete=False),
        ),
    ]


def _without_content() -> list[Case]:
    head = get(method=b"HEAD")

    def headed(name: str, words: str, app: Script, **fields: HeaderConstraint) -> Case:
        fields = {name.replace("_", "-"): value for name, value in fields.items()}
        return says(
            f"head-{name}",
            47,
            "RFC 9110 section 9.3.2",
            words,
            app,
            Response(200, ours=fields, body=b"", method="HEAD")
            if fields == {"content-length": None}
            else Response(200, fields, body=b"", method="HEAD"),
            sent=head,
        )

    def bare(status: int, name: str, app: Script, **more: Any) -> Case:
        return says(
            f"{status}-{name}",
            48 if status == 204 else 49,
            "RFC 9112 section 6.3",
            f"a {status} has no content",
            app,
            Response(status, {"transfer-encoding": None, **more.pop("fields", {})}, body=b""),
            sent=get(),
            **more,
        )

    length = [(b"content-length", b"5")]
    return [
        headed(
            "length", "HEAD has GET's fields and no content", answer(b"hello"), content_length="5"
        ),
        headed("chunked", "HEAD of a chunked response", chunked(b"hello"), content_length=None),
        headed(
            "no-body",
            "HEAD need not send the content it declares",
            (send(start(200, length)), send(body(b""))),
            content_length="5",
        ),
        headed(
            "short",
            "the length is not held against HEAD",
            (send(start(200, length)), send(body(b"abc"))),
            content_length="5",
        ),
        headed(
            "long",
            "nor when it is exceeded",
            (send(start(200, length)), send(body(b"0123456789"))),
            content_length="5",
        ),
        headed(
            "streamed",
            "HEAD of a streamed response",
            (send(start(200, length)), send(body(b"he", True)), send(body(b"llo", False))),
            content_length="5",
        ),
        bare(204, "plain", (send(start(204)), send(body(b""))), fields={"content-length": None}),
        bare(
            204,
            "length",
            answer(b"", 204, [(b"content-length", b"0")]),
            fields={"content-length": None},
        ),
        bare(204, "content", answer(b"hello", 204, length), fields={"content-length": None}),
        bare(204, "content-unsized", answer(b"hello", 204, []), fields={"content-length": None}),
        bare(
            204, "streamed", (send(start(204)), send(body(b"he", True)), send(body(b"llo", False)))
        ),
        bare(304, "plain", answer(b"", 304, [(b"etag", b'"x"')]), fields={"etag": '"x"'}),
        bare(304, "length", (send(start(304, length)), send(body(b"")))),
        bare(304, "content", answer(b"hello", 304, length)),
        bare(304, "content-unsized", answer(b"hello", 304, [])),
    ]


def _flow() -> list[Case]:
    big = body(special("zeros", 65_536), True)
    return [
        accepted(
            "first-chunk-flushed",
            53,
            BODY,
            "a body event reaches the client before the application goes on",
            get(),
            AwaitBytes(b"first"),
            AwaitGate("more"),
            Open("more"),
            app=(
                (
                    send(start()),
                    send(body(b"first", True)),
                    ("gate", "more"),
                    send(body(b"second", False)),
                ),
            ),
            responses=(ok(b"firstsecond"),),
        ),
        accepted(
            "head-flushed-by-empty-body",
            53,
            BODY,
            "an empty body event with more_body flushes the head",
            get(),
            AwaitBytes(b"\r\n\r\n"),
            AwaitGate("more"),
            Open("more"),
            app=(
                (
                    send(start()),
                    send(body(b"", True)),
                    ("gate", "more"),
                    send(body(b"late", False)),
                ),
            ),
            responses=(ok(b"late"),),
        ),
        accepted(
            "head-flushed-in-time",
            53,
            START,
            "a start alone reaches the client soon",
            get(),
            AwaitBytes(b"200 OK"),
            AwaitGate("more"),
            Open("more"),
            app=((send(start()), ("gate", "more"), send(body(b"late", False))),),
            responses=(ok(b"late"),),
            splittable=False,
            level=Level.CHOICE,
        ),
        accepted(
            "slow-reader",
            52,
            BODY,
            "send() waits for a client that does not read, and goes on when it does",
            StopReading(),
            get(),
            AwaitQuiet(0.5, sends=400),
            ResumeReading(),
            app=((send(start()), ("send_many", big, 800), send(body(b"", False))),),
            responses=(ok(body_size=800 * 65_536),),
            splittable=False,
            alone=True,
            level=Level.CHOICE,
        ),
        accepted(
            "after-final-ignored",
            54,
            BODY,
            "messages after the final body are ignored",
            get(),
            app=((*HELLO, try_send(body(b"evil")), try_send(start(500))),),
            responses=(hello(raw_lacks=(b"evil",)),),
            calls=(Call(holds=(RETURNED,)),),
            level=Level.CHOICE,
        ),
        accepted(
            "after-final-warned-once",
            54,
            BODY,
            "with one WARNING for the application",
            get() + get(),
            app=((*HELLO, try_send(body(b"evil"))),),
            responses=(hello(), hello()),
            calls=(Call(), Call()),
            own_process=True,
            splittable=False,
            log_has=("WARNING",),
            log_lacks=("(?s)WARNING.*WARNING",),
            level=Level.CHOICE,
            esg_only=True,
        ),
        accepted(
            "read-between",
            30,
            BODY,
            "receive() between start and body",
            get(),
            app=((send(start(200, sized(HELLO_BODY))), READ_BODY, send(body(HELLO_BODY))),),
            calls=(Call(order=(START_SENT, RETURNED)),),
            level=Level.CHOICE,
        ),
    ]


CASES = (*_content(), *_headers(), *_refusals(), *_lengths(), *_without_content(), *_flow())
