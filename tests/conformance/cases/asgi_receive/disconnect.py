"""http.disconnect: when, how often, and after what."""

from __future__ import annotations

from tests.conformance.behaviours import (
    HELLO,
    READ_BODY,
    RECEIVE,
    UNTIL_DISCONNECT,
    body,
    send,
    start,
)
from tests.conformance.cases.build import (
    BODY_SENT,
    DISCONNECT,
    RETURNED,
    START_SENT,
    accepted,
    case,
    get,
    mark,
    post,
    post_chunked,
    received,
)
from tests.conformance.model import (
    AwaitBytes,
    AwaitGate,
    AwaitQuiet,
    AwaitTrace,
    Call,
    Case,
    Close,
    Fate,
    HalfClose,
    Level,
    Open,
    Reset,
    Response,
)

DISCONNECTED = "ASGI HTTP 2.5, Disconnect event"
INCOMPLETE = "RFC 9112 section 8"
GONE_TRACE = Call(holds=(DISCONNECT,), lacks=(received(more=False),))


def _disconnect() -> list[Case]:
    part = get(b"/", b"Content-Length: 10", method=b"POST") + b"hello"
    part_chunked = post_chunked(b"5\r\nhello\r\n")
    # A server may send an error response before it closes (RFC 9112 section 8).
    errors = (Response(400, by_server=True, alternatives=(408, 500)),)
    told = (case("", 26, INCOMPLETE, "", responses=errors, calls=(GONE_TRACE,), fate=Fate.GONE),)
    waiting = (
        (
            "together",
            (UNTIL_DISCONNECT, ("mark", "gone")),
            (("gate", "go"), ("mark", "answering"), *HELLO),
        ),
    )
    return [
        accepted(
            "blocks-until-response",
            24,
            DISCONNECTED,
            "after the content receive() waits, and gives disconnect once the response is out",
            get(),
            AwaitGate("go"),
            AwaitQuiet(0.3, sends=0),
            Open("go"),
            app=(((READ_BODY), *waiting),),
            calls=(Call(order=(received(b"", False), mark("answering"), DISCONNECT)),),
            splittable=False,
        ),
        accepted(
            "after-response",
            25,
            DISCONNECTED,
            "after the response receive() gives disconnect",
            get(),
            app=((READ_BODY, *HELLO, RECEIVE),),
            calls=(
                Call(trace=(received(b"", False), START_SENT, BODY_SENT, DISCONNECT, RETURNED)),
            ),
        ),
        accepted(
            "after-response-twice",
            25,
            DISCONNECTED,
            "after the response receive() gives disconnect, every time",
            get(),
            app=((READ_BODY, *HELLO, RECEIVE, RECEIVE),),
            calls=(
                Call(
                    trace=(
                        received(b"", False),
                        START_SENT,
                        BODY_SENT,
                        DISCONNECT,
                        DISCONNECT,
                        RETURNED,
                    )
                ),
            ),
            level=Level.CHOICE,
        ),
        accepted(
            "after-response-unread",
            25,
            DISCONNECTED,
            "content that was not received before the response is not received after it",
            post(b"hello"),
            app=((*HELLO, RECEIVE, RECEIVE),),
            calls=(Call(trace=(START_SENT, BODY_SENT, DISCONNECT, DISCONNECT, RETURNED)),),
            level=Level.CHOICE,
        ),
        case(
            "close-in-content",
            26,
            DISCONNECTED,
            "a client that closes inside the content is a disconnect, never the content's end",
            part,
            AwaitTrace("receive"),
            Close(),
            app=((READ_BODY,),),
            calls=(GONE_TRACE,),
            fate=Fate.ANY,
            needs="content in parts",
        ),
        case(
            "reset-in-content",
            26,
            DISCONNECTED,
            "so is one that resets",
            part,
            AwaitTrace("receive"),
            Reset(),
            app=((READ_BODY,),),
            calls=(GONE_TRACE,),
            fate=Fate.ANY,
            needs="content in parts",
        ),
        case(
            "half-close-in-content",
            26,
            INCOMPLETE,
            "so is a FIN inside the content",
            part,
            HalfClose(),
            app=((READ_BODY,),),
            calls=(GONE_TRACE,),
            fate=Fate.GONE,
            or_else=told,
            needs="content in parts",
        ),
        case(
            "half-close-in-chunk",
            26,
            INCOMPLETE,
            "so is a FIN between two chunks",
            part_chunked,
            HalfClose(),
            app=((READ_BODY,),),
            calls=(GONE_TRACE,),
            fate=Fate.GONE,
            or_else=told,
            needs="content in parts",
        ),
        case(
            "half-close-in-chunk-data",
            26,
            INCOMPLETE,
            "so is a FIN inside a chunk",
            post_chunked(b"5\r\nhe"),
            HalfClose(),
            app=((READ_BODY,),),
            calls=(GONE_TRACE,),
            fate=Fate.GONE,
            or_else=told,
            needs="content in parts",
        ),
        case(
            "half-close-in-trailers",
            26,
            INCOMPLETE,
            "so is a FIN inside the trailers",
            post_chunked(b"5\r\nhello\r\n0\r\nX: "),
            HalfClose(),
            app=((READ_BODY,),),
            calls=(GONE_TRACE,),
            fate=Fate.GONE,
            or_else=told,
            needs="content in parts",
        ),
        case(
            "close-in-content-again",
            26,
            DISCONNECTED,
            "disconnect is given every time",
            part,
            AwaitTrace("receive"),
            Close(),
            app=((READ_BODY, RECEIVE, RECEIVE),),
            calls=(Call(order=(DISCONNECT, DISCONNECT, DISCONNECT, RETURNED)),),
            fate=Fate.ANY,
            needs="content in parts",
            level=Level.CHOICE,
        ),
        case(
            "bad-chunk-after-response-began",
            27,
            "RFC 9112 section 7.1",
            "broken framing after the response has begun ends the connection",
            post_chunked(b"5\r\nhello\r\n"),
            AwaitBytes(b"early"),
            b"zz\r\n",
            app=((send(start()), send(body(b"early", True)), READ_BODY),),
            responses=(Response(200, complete=False),),
            calls=None,
            fate=Fate.GONE,
            splittable=False,
            needs="content in parts",
        ),
        case(
            "bad-chunk-then-receive",
            27,
            "RFC 9112 section 7.1",
            "after broken framing receive() gives disconnect, every time",
            post_chunked(b"zz\r\n"),
            app=((READ_BODY, RECEIVE, RECEIVE),),
            responses=(Response(400, by_server=True, alternatives=(500,)),),
            calls=(
                Call(order=(DISCONNECT, DISCONNECT, DISCONNECT, RETURNED), lacks=(received(),)),
            ),
            needs="content in parts",
            level=Level.CHOICE,
        ),
    ]


CASES = tuple(_disconnect())
