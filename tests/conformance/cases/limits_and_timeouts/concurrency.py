"""Limits on how many requests there may be at once."""

from __future__ import annotations

from tests.conformance.behaviours import HELLO
from tests.conformance.cases.build import case, error, get, hello
from tests.conformance.model import (
    AwaitGate,
    AwaitResponse,
    Call,
    Case,
    Connect,
    Fate,
    Level,
    Open,
    Send,
)

CONCURRENCY = ("--limit-concurrency", "1")


def _concurrency() -> list[Case]:
    busy = (("gate", "go"), *HELLO)
    refusal = error(503, on="b", fields={"retry-after": "1"})
    return [
        case(
            "concurrency-over-limit",
            80,
            "RFC 9110 section 15.6.4",
            "a request beyond the limit is answered with 503 and Retry-After",
            get(),
            AwaitGate("go"),
            Connect(on="b"),
            Send(get(), on="b"),
            AwaitResponse(1, on="b"),
            Open("go"),
            app=(busy,),
            responses=(hello(), refusal),
            calls=(Call(),),
            fate=Fate.KEPT,
            options=CONCURRENCY,
            alone=True,
            splittable=False,
            level=Level.CHOICE,
        ),
        case(
            "concurrency-idle-does-not-count",
            80,
            "RFC 9110 section 15.6.4",
            "idle connections do not count",
            get(),
            AwaitResponse(1),
            Connect(on="b"),
            Send(get(), on="b"),
            AwaitResponse(1, on="b"),
            responses=(hello(), hello(on="b")),
            calls=(Call(), Call(on="b")),
            fate=Fate.KEPT,
            options=CONCURRENCY,
            alone=True,
            splittable=False,
            level=Level.CHOICE,
        ),
    ]


CASES = tuple(_concurrency())
