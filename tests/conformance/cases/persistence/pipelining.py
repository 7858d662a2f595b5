"""Requests that come before the last one is answered."""

from __future__ import annotations

from tests.conformance.behaviours import HELLO, READ_AND_ECHO, answer
from tests.conformance.cases.build import accepted, case, error, get, hello, ok, post, post_chunked
from tests.conformance.cases.persistence.build import CLOSE, PERSISTENCE, TEAR_DOWN
from tests.conformance.model import (
    AwaitGate,
    AwaitResponse,
    Call,
    Case,
    Fate,
    Level,
    Open,
    Response,
)

PIPELINING = "RFC 9112 section 9.3.2"


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


CASES = tuple(_pipelining())
