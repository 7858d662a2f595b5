"""Content that its Content-Length contradicts, and responses that have none."""

from __future__ import annotations

from typing import Any

from tests.conformance.behaviours import HELLO, answer, body, chunked, send, start, try_send
from tests.conformance.cases.asgi_send.build import LENGTH, says
from tests.conformance.cases.build import case, error, get, hello, refused
from tests.conformance.model import Call, Case, Fate, HeaderConstraint, Level, Response, Script


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


CASES = (*_lengths(), *_without_content())
