"""What closes a connection, and what keeps it."""

from __future__ import annotations

import re
from typing import Any

from tests.conformance.behaviours import READ_AND_ECHO, answer, chunked
from tests.conformance.cases.build import HOST, accepted, case, get, hello, ok, post, post_chunked
from tests.conformance.cases.persistence.build import CLOSE, PERSISTENCE
from tests.conformance.model import Call, Case, Fate, Level, Send


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


CASES = (*_closing(), *_keeping())
