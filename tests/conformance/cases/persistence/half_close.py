"""Clients that have said all they have to say."""

from __future__ import annotations

from tests.conformance.behaviours import HELLO, READ_AND_ECHO, READ_AND_HELLO, body, send, start
from tests.conformance.cases.build import case, get, hello, ok, post
from tests.conformance.cases.persistence.build import TEAR_DOWN
from tests.conformance.model import AwaitGate, AwaitResponse, Call, Case, HalfClose, Level, Open


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


CASES = tuple(_half_close())
