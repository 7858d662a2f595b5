"""Extensions of ASGI that HTTP/1.1 can carry: trailers and early hints."""

from __future__ import annotations

from typing import Any

from tests.conformance.behaviours import HELLO, answer, body, send, sized, start, try_send
from tests.conformance.cases.build import (
    BODY_SENT,
    RETURNED,
    START_SENT,
    accepted,
    case,
    get,
    hello,
    ok,
    refused,
    sent,
)
from tests.conformance.model import Call, Case, Fate, Response, Script

TRAILERS = "http.response.trailers"
HINT = "http.response.early_hint"
TRAILERS_CLAUSE = "ASGI extensions, HTTP Trailers; RFC 9112 section 7.1.2"
FORBIDDEN_CLAUSE = "RFC 9110 section 6.5.1"
HINT_CLAUSE = "ASGI extensions, Early Hints; RFC 8297 section 2"
TE = b"TE: trailers"
ANNOUNCED = start(200, [(b"trailer", b"x-sum")], trailers=True)
LINK = b"</style.css>; rel=preload"


def trailers(*fields: tuple[Any, Any], more: bool | None = None) -> dict[str, Any]:
    """Write an http.response.trailers message."""
    message: dict[str, Any] = {"type": TRAILERS, "headers": fields}
    if more is not None:
        message["more_trailers"] = more
    return message


def hint(*links: Any) -> dict[str, Any]:
    """Write an http.response.early_hint message."""
    return {"type": HINT, "links": links}


def says(id: str, words: str, app: Script, response: Response, request: bytes, **more: Any) -> Case:
    """Write a case of trailers."""
    more.setdefault("clause", TRAILERS_CLAUSE)
    more.setdefault("needs", TRAILERS)
    return accepted(
        id, 122, more.pop("clause"), words, request, app=(app,), responses=(response,), **more
    )


SUM = (b"x-sum", b"9")
WITH_SUM: Script = (
    send(ANNOUNCED),
    send(body(b"abc", True)),
    send(body(b"def")),
    send(trailers(SUM)),
)


def _trailers() -> list[Case]:
    sent_behind = ok(b"abcdef", trailers=(SUM,), fields={"transfer-encoding": "chunked"})
    return [
        says("trailers", "trailers follow the content", WITH_SUM, sent_behind, get(b"/", TE)),
        says(
            "trailers-in-a-list",
            "TE is a list, in any case",
            WITH_SUM,
            sent_behind,
            get(b"/", b"TE: deflate;q=0.5, Trailers"),
        ),
        says(
            "trailers-offered",
            "the scope offers them to a client that takes them",
            HELLO,
            hello(),
            get(b"/", TE),
            calls=(Call(offers=(TRAILERS,)),),
        ),
        says(
            "trailers-not-offered",
            "and to no other",
            HELLO,
            hello(),
            get(),
            calls=(Call(offers_not=(TRAILERS,)),),
            needs=None,
        ),
        says(
            "trailers-not-taken",
            "without TE they are not sent, and nobody minds",
            (*WITH_SUM, ("mark", "done")),
            ok(b"abcdef"),
            get(),
            needs=None,
            log_lacks=("WARNING",),
            esg_only=True,
        ),
        says(
            "trailers-after-a-length",
            "trailers need chunks: a Content-Length gives way",
            (
                send(start(200, sized(b"abc"), trailers=True)),
                send(body(b"abc")),
                send(trailers(SUM)),
            ),
            ok(
                b"abc",
                trailers=(SUM,),
                fields={"transfer-encoding": "chunked", "content-length": None},
            ),
            get(b"/", TE),
        ),
        says(
            "trailers-without-headers",
            "announced by a start without fields",
            (
                send({"type": "http.response.start", "status": 200, "trailers": True}),
                send(body(b"abc")),
                send(trailers(SUM)),
            ),
            ok(b"abc", trailers=(SUM,), fields={"transfer-encoding": "chunked"}),
            get(b"/", TE),
        ),
        says(
            "trailers-in-parts",
            "more_trailers goes on",
            (
                send(ANNOUNCED),
                send(body(b"abc")),
                send(trailers(SUM, more=True)),
                send(trailers(more=True)),
                send(trailers((b"x-b", b"2"), (b"x-b", b"3"), more=False)),
            ),
            ok(b"abc", trailers=(SUM, (b"x-b", b"2"), (b"x-b", b"3"))),
            get(b"/", TE),
        ),
        says(
            "trailers-empty",
            "announced, and then none",
            (send(ANNOUNCED), send(body(b"abc")), send({"type": TRAILERS})),
            ok(b"abc"),
            get(b"/", TE),
        ),
        says(
            "trailers-without-content",
            "behind empty content",
            (send(ANNOUNCED), send(body(b"")), send(trailers(SUM))),
            ok(b"", trailers=(SUM,)),
            get(b"/", TE),
        ),
        says(
            "trailers-of-head",
            "a response to HEAD has none",
            (send(ANNOUNCED), send(body(b"abc")), send(trailers(SUM))),
            Response(200, body=b"", method="HEAD"),
            get(b"/", TE, method=b"HEAD"),
        ),
        says(
            "trailers-of-204",
            "nor has a 204",
            (send(start(204, trailers=True)), send(body()), send(trailers(SUM))),
            Response(204, body=b""),
            get(b"/", TE),
        ),
        accepted(
            "trailers-next-request",
            122,
            TRAILERS_CLAUSE,
            "the connection goes on behind them",
            get(b"/", TE) + get(b"/", TE),
            app=(WITH_SUM,),
            responses=(sent_behind, sent_behind),
            calls=(Call(), Call()),
            needs=TRAILERS,
        ),
        case(
            "trailers-http-1.0",
            122,
            TRAILERS_CLAUSE,
            "HTTP/1.0 has no place for them",
            get(b"/", TE, version=b"1.0"),
            app=(WITH_SUM,),
            responses=(ok(b"abcdef"),),
            calls=(Call(offers_not=(TRAILERS,)),),
            esg_only=True,
        ),
        case(
            "trailers-never-sent",
            122,
            TRAILERS_CLAUSE,
            "an application that ends without them leaves the response incomplete",
            get(b"/", TE),
            app=((send(ANNOUNCED), send(body(b"abc"))),),
            responses=(ok(b"abc", complete=False),),
            needs=TRAILERS,
        ),
        *_refused_trailers(),
    ]


FORBIDDEN = (
    (b"transfer-encoding", b"chunked"),
    (b"Content-Length", b"3"),
    (b"host", b"evil.example"),
    (b"connection", b"close"),
    (b"authorization", b"Basic eDp5"),
    (b"set-cookie", b"a=b"),
    (b"content-type", b"text/html"),
    (b"cache-control", b"no-store"),
    (b"trailer", b"x"),
    (b"te", b"trailers"),
)
UNLAWFUL = ((b"x a", b"1"), (b"", b"1"), (b"x-a", b"1\r\nx-b: 2"), (b"x-a", b"1\x00"))


def _refused_trailers() -> list[Case]:
    tried = [
        says(
            f"trailers-refused/{name.decode().lower() or 'empty'}-{number}",
            "a field that may not be a trailer raises, and a good one may follow",
            (
                send(ANNOUNCED),
                send(body(b"abc")),
                try_send(trailers((name, value))),
                send(trailers(SUM)),
            ),
            ok(b"abc", trailers=(SUM,)),
            get(b"/", TE),
            clause=FORBIDDEN_CLAUSE,
            calls=(Call(order=(START_SENT, BODY_SENT, refused(TRAILERS), RETURNED)),),
        )
        for number, (name, value) in enumerate((*FORBIDDEN, *UNLAWFUL))
    ]
    return [
        *tried,
        says(
            "trailers-before-the-end",
            "trailers before the final body raise",
            (
                send(ANNOUNCED),
                send(body(b"abc", True)),
                try_send(trailers(SUM)),
                send(body(b"")),
                send(trailers(SUM)),
            ),
            ok(b"abc", trailers=(SUM,)),
            get(b"/", TE),
            calls=(Call(order=(refused(TRAILERS), BODY_SENT, sent(TRAILERS))),),
        ),
        says(
            "body-before-trailers",
            "a body after the final one raises where trailers are due",
            (
                send(ANNOUNCED),
                send(body(b"abc")),
                try_send(body(b"evil")),
                send(trailers(SUM)),
            ),
            ok(b"abc", trailers=(SUM,)),
            get(b"/", TE),
            calls=(Call(order=(refused("http.response.body"), sent(TRAILERS))),),
        ),
        says(
            "trailers-unannounced",
            "trailers that were not announced raise",
            (send(start()), send(body(b"abc", True)), try_send(trailers(SUM)), send(body(b""))),
            ok(b"abc"),
            get(b"/", TE),
            calls=(Call(order=(refused(TRAILERS), BODY_SENT)),),
        ),
    ]


def hinted(id: str, words: str, app: Script, response: Response, **more: Any) -> Case:
    """Write a case of early hints."""
    request = more.pop("request", get())
    return accepted(
        id, 123, HINT_CLAUSE, words, request, app=(app,), responses=(response,), needs=HINT, **more
    )


def _hints() -> list[Case]:
    return [
        hinted(
            "hint",
            "a 103 with its links goes ahead of the response",
            (send(hint(LINK, b"</b.js>; rel=preload")), *HELLO),
            hello(interim=(103,), links=(LINK.decode(), "</b.js>; rel=preload")),
            calls=(Call(offers=(HINT,)),),
        ),
        hinted(
            "hints",
            "several are allowed, also while the start is held",
            (
                send(hint(LINK)),
                send(start(200, sized(b"x"))),
                send(hint(b"</b.js>; rel=preload")),
                send(body(b"x")),
            ),
            ok(b"x", interim=(103, 103), links=(LINK.decode(), "</b.js>; rel=preload")),
        ),
        hinted(
            "hint-without-links",
            "a 103 may have none",
            (send(hint()), *HELLO),
            hello(interim=(103,)),
        ),
        hinted(
            "hint-of-head",
            "HEAD is hinted as GET is",
            (send(hint(LINK)), *answer(b"x")),
            Response(200, body=b"", method="HEAD", interim=(103,)),
            request=get(method=b"HEAD"),
        ),
        hinted(
            "hint-late",
            "a hint after the response has begun raises",
            (
                send(start(200, sized(b"ab"))),
                send(body(b"a", True)),
                try_send(hint(LINK)),
                send(body(b"b")),
            ),
            ok(b"ab"),
            calls=(Call(order=(BODY_SENT, refused(HINT), BODY_SENT)),),
        ),
        *(
            hinted(
                f"hint-refused/{number}",
                "a link that is no field value raises, and nothing of it is written",
                (try_send(hint(LINK, link)), *HELLO),
                hello(),
                calls=(Call(order=(refused(HINT), START_SENT)),),
            )
            for number, link in enumerate((b"a\r\nx: y", b"a\nb", b"a\x00", "text"))
        ),
        case(
            "hint-http-1.0",
            123,
            HINT_CLAUSE,
            "HTTP/1.0 gets no interim response, and is offered none",
            get(version=b"1.0"),
            app=((send(hint(LINK)), *HELLO),),
            responses=(hello(),),
            calls=(Call(offers_not=(HINT,)),),
            esg_only=True,
            fate=Fate.CLOSED,
        ),
    ]


CASES = (*_trailers(), *_hints())
