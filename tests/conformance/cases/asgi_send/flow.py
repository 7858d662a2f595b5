"""When send() returns, and when the client has what was sent."""

from __future__ import annotations

from tests.conformance.behaviours import (
    HELLO,
    HELLO_BODY,
    READ_BODY,
    body,
    send,
    sized,
    special,
    start,
    try_send,
)
from tests.conformance.cases.asgi_send.build import BODY, START
from tests.conformance.cases.build import RETURNED, START_SENT, accepted, get, hello, ok
from tests.conformance.model import (
    AwaitBytes,
    AwaitGate,
    AwaitQuiet,
    Call,
    Case,
    Level,
    Open,
    ResumeReading,
    StopReading,
)


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


CASES = tuple(_flow())
