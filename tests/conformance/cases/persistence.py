"""Whether a connection lives on: keep-alive, close, pipelining, half-close, upgrade."""

from __future__ import annotations

import re
from typing import Any

from tests.conformance.behaviours import (
    HELLO,
    READ_AND_ECHO,
    READ_AND_HELLO,
    READ_BODY,
    answer,
    body,
    chunked,
    send,
    start,
)
from tests.conformance.cases.build import (
    HOST,
    accepted,
    case,
    error,
    get,
    hello,
    ok,
    post,
    post_chunked,
)
from tests.conformance.model import (
    AwaitGate,
    AwaitResponse,
    Call,
    Case,
    Fate,
    HalfClose,
    Level,
    Open,
    Response,
    Send,
)

PERSISTENCE = "RFC 9112 section 9.3"
PIPELINING = "RFC 9112 section 9.3.2"
TEAR_DOWN = "RFC 9112 section 9.6"
UPGRADE = "RFC 9110 section 7.8"
CLOSE = {"connection": "close"}


def _closing() -> list[Case]:
    def closes(name: str, says: str, sent: bytes, **details: Any) -> Case:
        details.setdefault("responses", (hello(ours=CLOSE),))
        details.setdefault("calls", (Call(),))
        number = 51 if name.startswith("app-closes") else 83
        return case(name, number, PERSISTENCE, says, sent, **details)

    old = b"GET / HTTP/1.0\r\n"
    return [
        closes(
            "close-requested",
            "a request with Connection: close is the last",
            get(b"/", b"Connection: close"),
        ),
        closes(
            "close-announced",
            "the response to Connection: close says close, too",
            get(b"/", b"Connection: close"),
            responses=(hello(fields={"connection": re.compile("(?i)close")}),),
            level=Level.SHOULD,
        ),
        closes(
            "close-requested-upper-case",
            "connection options ignore case",
            get(b"/", b"CONNECTION: CLOSE"),
        ),
        closes(
            "close-requested-in-list",
            "close is one option of a list",
            get(b"/", b"Connection: foo, close , bar"),
        ),
        closes(
            "close-requested-second-line",
            "the lines of a list field are one list",
            get(b"/", b"Connection: foo", b"Connection: close"),
        ),
        closes(
            "close-beats-keep-alive",
            "close wins over keep-alive",
            get(b"/", b"Connection: keep-alive, close"),
        ),
        closes(
            "close-requested-chunked",
            "the response may be chunked and still close",
            get(b"/", b"Connection: close"),
            app=(chunked(b"abc"),),
            responses=(ok(b"abc", ours=CLOSE),),
        ),
        closes(
            "nothing-after-close",
            "a request after Connection: close is not answered",
            get(b"/", b"Connection: close") + get(b"/second"),
            fate=Fate.GONE,
        ),
        closes("http-1.0", "HTTP/1.0 does not persist", old + b"\r\n"),
        closes("http-1.0-host", "HTTP/1.0 with a Host field", old + HOST + b"\r\n"),
        closes(
            "http-1.0-keep-alive",
            "HTTP/1.0 does not persist, whatever it asks for",
            old + b"Connection: keep-alive\r\n\r\n",
            level=Level.CHOICE,
        ),
        closes(
            "http-1.0-content",
            "HTTP/1.0 may have content",
            b"POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello",
            app=(READ_AND_ECHO,),
            responses=(ok(b"hello", ours=CLOSE),),
            calls=(Call(body=b"hello"),),
        ),
        closes(
            "http-1.0-nothing-after",
            "HTTP/1.0 does not pipeline",
            old + b"\r\n" + old + b"\r\n",
            fate=Fate.GONE,
        ),
        closes(
            "app-closes",
            "an application's connection: close closes, and is sent once",
            get(),
            app=(answer(headers=[(b"connection", b"close"), (b"content-length", b"18")]),),
        ),
        closes(
            "app-closes-upper-case",
            "the application's option ignores case",
            get(),
            app=(answer(headers=[(b"Connection", b"Close"), (b"content-length", b"18")]),),
            responses=(hello(ours={"connection": re.compile("(?i)close")}),),
        ),
        closes(
            "both-close",
            "both sides say close: it is sent once",
            get(b"/", b"Connection: close"),
            app=(answer(headers=[(b"connection", b"close"), (b"content-length", b"18")]),),
        ),
    ]


def drained(id: str, *words: Any, **details: Any) -> Case:
    """Write a case of content that the application leaves unread; a server may also close."""
    closed = case(id, *words, responses=(hello(),), calls=(Call(),), fate=Fate.GONE)
    return accepted(id, *words, **details, or_else=(closed,))


def _keeping() -> list[Case]:
    return [
        accepted(
            "kept",
            83,
            PERSISTENCE,
            "HTTP/1.1 persists, and says nothing about it",
            get(),
            responses=(hello(ours={"connection": None}),),
            level=Level.SHOULD,
        ),
        accepted(
            "kept-keep-alive",
            83,
            PERSISTENCE,
            "keep-alive is the default anyway",
            get(b"/", b"Connection: keep-alive"),
            responses=(hello(ours={"connection": None}),),
            level=Level.CHOICE,
        ),
        accepted(
            "kept-unknown-option",
            83,
            PERSISTENCE,
            "unknown connection options are ignored",
            get(b"/", b"Connection: foo, closed, not-close"),
            level=Level.SHOULD,
        ),
        accepted(
            "kept-close-in-other-field",
            83,
            PERSISTENCE,
            "close in another field is nothing",
            get(b"/", b"X-Connection: close", b"Proxy-Connection: close"),
            level=Level.SHOULD,
        ),
        accepted(
            "kept-after-chunked",
            83,
            PERSISTENCE,
            "a chunked response ends by itself",
            get(),
            app=(chunked(b"ab", b"c"),),
            responses=(ok(b"abc"),),
            level=Level.SHOULD,
        ),
        accepted(
            "kept-after-content",
            83,
            PERSISTENCE,
            "content that was read is out of the way",
            post(b"hello"),
            app=(READ_AND_ECHO,),
            responses=(ok(b"hello"),),
            level=Level.SHOULD,
        ),
        drained(
            "unread-content-drained",
            29,
            PERSISTENCE,
            "a little unread content is read away; it is never the next request",
            get(b"/", b"Content-Length: %d" % len(get(b"/smuggled")), method=b"POST"),
            Send(get(b"/smuggled"), atomic=True),
        ),
        drained(
            "unread-chunked-drained",
            29,
            PERSISTENCE,
            "a little unread chunked content is read away",
            post_chunked(b""),
            Send(b"5\r\nhello\r\n0\r\nX: y\r\n\r\n", atomic=True),
        ),
        drained(
            "unread-content-drained-pipelined",
            29,
            PERSISTENCE,
            "after unread content the next request is found",
            post(b"x" * 1000) + get(b"/next"),
            responses=(hello(), hello()),
            calls=(Call(scope={"path": "/"}), Call(scope={"path": "/next"})),
            splittable=False,
        ),
        case(
            "unread-large-content",
            29,
            PERSISTENCE,
            "much unread content ends the connection, after the whole response",
            post(b"x" * 2_000_000),
            responses=(hello(),),
            calls=(Call(),),
            fate=Fate.GONE,
            splittable=False,
            level=Level.CHOICE,
        ),
        case(
            "unread-large-chunked",
            29,
            PERSISTENCE,
            "much unread chunked content ends the connection, after the whole response",
            post_chunked(
                b"10000\r\n"
                + b"x" * 65536
                + b"\r\n"
                + b"10000\r\n"
                + b"y" * 65536
                + b"\r\n10000\r\n"
                + b"z" * 65536
                + b"\r\n0\r\n\r\n"
            ),
            responses=(hello(),),
            calls=(Call(),),
            fate=Fate.GONE,
            splittable=False,
            level=Level.CHOICE,
        ),
    ]


def _pipelining() -> list[Case]:
    two = (Call(scope={"path": "/1"}), Call(scope={"path": "/2"}))
    slow = (("gate", "go"), *answer(b"first"))
    return [
        accepted(
            "pipelined-two",
            82,
            PIPELINING,
            "two requests in one segment, two answers",
            get(b"/1") + get(b"/2"),
            responses=(hello(), hello()),
            calls=two,
        ),
        accepted(
            "pipelined-ten",
            82,
            PIPELINING,
            "ten requests in one segment, ten answers",
            b"".join(get(b"/%d" % n) for n in range(10)),
            responses=(hello(),) * 10,
            calls=tuple(Call(scope={"path": f"/{n}"}) for n in range(10)),
        ),
        accepted(
            "pipelined-hundred",
            82,
            PIPELINING,
            "a hundred requests in one segment",
            b"".join(get(b"/%d" % n) for n in range(100)),
            responses=(hello(),) * 100,
            calls=tuple(Call(scope={"path": f"/{n}"}) for n in range(100)),
            alone=True,
            splittable=False,
        ),
        accepted(
            "pipelined-in-order",
            82,
            PIPELINING,
            "a slow first answer comes before a quick second one",
            get(b"/1") + get(b"/2"),
            AwaitGate("go"),
            Open("go"),
            app=(slow, answer(b"second")),
            responses=(ok(b"first"), ok(b"second")),
            calls=two,
            splittable=False,
        ),
        accepted(
            "pipelined-with-content",
            82,
            PIPELINING,
            "each request keeps its own content",
            post(b"one", target=b"/1") + post(b"two", target=b"/2"),
            app=(READ_AND_ECHO,),
            responses=(ok(b"one"), ok(b"two")),
            calls=(Call(body=b"one"), Call(body=b"two")),
        ),
        accepted(
            "pipelined-chunked-then-get",
            82,
            PIPELINING,
            "the request after chunked content begins where that ends",
            post_chunked(b"3\r\none\r\n0\r\n\r\n") + get(b"/2"),
            app=(READ_AND_ECHO,),
            responses=(ok(b"one"), ok(b"")),
            calls=(Call(body=b"one"), Call(body=b"")),
        ),
        accepted(
            "pipelined-head-then-get",
            82,
            PIPELINING,
            "an answer to HEAD has no content",
            get(b"/1", method=b"HEAD") + get(b"/2"),
            responses=(Response(200, body=b"", method="HEAD"), hello()),
            calls=two,
        ),
        accepted(
            "second-in-later-segment",
            82,
            PERSISTENCE,
            "one request after the other",
            get(b"/1"),
            AwaitResponse(1),
            get(b"/2"),
            responses=(hello(), hello()),
            calls=two,
        ),
        accepted(
            "second-head-cut",
            82,
            PIPELINING,
            "the second head comes in two segments",
            get(b"/1") + get(b"/2")[:20],
            AwaitResponse(1),
            get(b"/2")[20:],
            responses=(hello(), hello()),
            calls=two,
        ),
        case(
            "pipelined-then-close",
            82,
            PIPELINING,
            "the request that closes is the last answered",
            get(b"/1") + get(b"/2", b"Connection: close") + get(b"/3"),
            responses=(hello(), hello(ours=CLOSE)),
            calls=two,
            fate=Fate.GONE,
        ),
        case(
            "pipelined-then-invalid",
            82,
            PIPELINING,
            "an invalid request after a valid one gets its own answer, in order",
            get(b"/1") + b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
            responses=(hello(), error(400)),
            calls=(Call(scope={"path": "/1"}),),
            level=Level.CHOICE,
        ),
        case(
            "pipelined-then-garbage",
            82,
            PIPELINING,
            "garbage after a valid request",
            get(b"/1") + b"\x00\x01\x02",
            responses=(hello(), error(400)),
            calls=(Call(),),
            level=Level.CHOICE,
        ),
        case(
            "app-closes-pipelined",
            82,
            TEAR_DOWN,
            "when the application closes, pipelined requests are dropped",
            get(b"/1") + get(b"/2"),
            app=(answer(headers=[(b"connection", b"close"), (b"content-length", b"18")]),),
            responses=(hello(ours=CLOSE),),
            calls=(Call(scope={"path": "/1"}),),
            fate=Fate.GONE,
        ),
        accepted(
            "background-work-reuse",
            55,
            "quality",
            "work after the final body does not hold the response back",
            get(b"/1"),
            AwaitResponse(1),
            AwaitGate("work"),
            Open("work"),
            app=((*HELLO, ("gate", "work"), ("mark", "worked")),),
            level=Level.CHOICE,
        ),
    ]


def _half_close() -> list[Case]:
    return [
        case(
            "half-close-after-request",
            28,
            TEAR_DOWN,
            "FIN after a whole request: the response is still delivered",
            get(),
            HalfClose(),
            responses=(hello(),),
            calls=(Call(),),
            level=Level.CHOICE,
        ),
        case(
            "half-close-slow-app",
            28,
            TEAR_DOWN,
            "FIN while the application works: the response is still delivered",
            get(),
            AwaitGate("go"),
            HalfClose(),
            Open("go"),
            app=((("gate", "go"), *HELLO),),
            responses=(hello(),),
            calls=(Call(),),
            level=Level.CHOICE,
        ),
        case(
            "half-close-after-content",
            28,
            TEAR_DOWN,
            "FIN after a whole request with content",
            post(b"hello"),
            HalfClose(),
            app=(READ_AND_ECHO,),
            responses=(ok(b"hello"),),
            calls=(Call(body=b"hello"),),
            level=Level.CHOICE,
        ),
        case(
            "half-close-pipelined",
            28,
            TEAR_DOWN,
            "FIN after two whole requests: both responses are delivered",
            get(b"/1") + get(b"/2"),
            HalfClose(),
            responses=(hello(), hello()),
            calls=(Call(), Call()),
            level=Level.CHOICE,
        ),
        case(
            "half-close-streaming",
            28,
            TEAR_DOWN,
            "FIN during a streamed response: the rest is delivered",
            get(),
            AwaitGate("go"),
            HalfClose(),
            Open("go"),
            app=(
                (
                    send(start()),
                    send(body(b"one", True)),
                    ("gate", "go"),
                    send(body(b"two", False)),
                ),
            ),
            responses=(ok(b"onetwo"),),
            calls=(Call(),),
            level=Level.CHOICE,
        ),
        case(
            "half-close-idle",
            28,
            TEAR_DOWN,
            "FIN on an idle connection closes it",
            get(),
            AwaitResponse(1),
            HalfClose(),
            responses=(hello(),),
            calls=(Call(),),
            level=Level.SHOULD,
        ),
        case(
            "half-close-at-once",
            28,
            TEAR_DOWN,
            "FIN before any request closes the connection",
            HalfClose(),
            calls=(),
            level=Level.SHOULD,
        ),
        case(
            "half-close-in-head",
            28,
            TEAR_DOWN,
            "FIN inside a head: there is no request, and nothing to answer",
            b"GET / HT",
            HalfClose(),
            calls=(),
            level=Level.CHOICE,
        ),
        case(
            "half-close-read-first",
            28,
            TEAR_DOWN,
            "the application reads the content after FIN, and gets all of it",
            post(b"hello"),
            AwaitGate("go"),
            HalfClose(),
            Open("go"),
            app=((("gate", "go"), *READ_AND_HELLO),),
            responses=(hello(),),
            calls=(Call(body=b"hello"),),
            level=Level.CHOICE,
        ),
    ]


def _upgrade() -> list[Case]:
    def ignored(name: str, says: str, *fields: bytes, **details: Any) -> Case:
        return accepted(f"upgrade-{name}", 84, UPGRADE, says, get(b"/", *fields), **details)

    return [
        ignored(
            "unknown", "an unknown protocol is ignored", b"Connection: upgrade", b"Upgrade: foo/1"
        ),
        ignored(
            "h2c",
            "h2c is ignored",
            b"Connection: Upgrade, HTTP2-Settings",
            b"Upgrade: h2c",
            b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
            esg_only=True,
        ),
        ignored("tls", "upgrading to TLS is ignored", b"Connection: upgrade", b"Upgrade: TLS/1.0"),
        ignored(
            "without-connection",
            "Upgrade without its connection option is nothing",
            b"Upgrade: foo",
        ),
        ignored(
            "option-without-field", "the connection option alone is nothing", b"Connection: upgrade"
        ),
        accepted(
            "upgrade-with-content",
            84,
            UPGRADE,
            "an ignored upgrade may have content",
            post(b"hello", b"Connection: upgrade", b"Upgrade: foo"),
            app=(READ_AND_ECHO,),
            responses=(ok(b"hello"),),
            calls=(Call(body=b"hello"),),
        ),
        accepted(
            "upgrade-pipelined",
            84,
            UPGRADE,
            "what follows an ignored upgrade is a request",
            get(b"/1", b"Connection: upgrade", b"Upgrade: foo") + get(b"/2"),
            responses=(hello(), hello()),
            calls=(Call(), Call()),
        ),
        case(
            "upgrade-and-close",
            84,
            UPGRADE,
            "close holds beside an ignored upgrade",
            get(b"/", b"Connection: upgrade, close", b"Upgrade: foo"),
            responses=(hello(ours=CLOSE),),
            calls=(Call(),),
        ),
        accepted(
            "upgrade-options-asterisk",
            84,
            UPGRADE,
            "OPTIONS * with an upgrade",
            get(b"*", b"Connection: upgrade", b"Upgrade: foo", method=b"OPTIONS"),
            app=((READ_BODY, *HELLO),),
        ),
    ]


CASES = (*_closing(), *_keeping(), *_pipelining(), *_half_close(), *_upgrade())
