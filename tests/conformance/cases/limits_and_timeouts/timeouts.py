"""Limits on the time that a request may take."""

from __future__ import annotations

from typing import Any

from tests.conformance.behaviours import (
    HELLO,
    READ_AND_HELLO,
    READ_BODY,
    UNTIL_DISCONNECT,
    body,
    send,
    special,
    start,
)
from tests.conformance.cases.build import DISCONNECT, case, error, get, hello, ok, received, refused
from tests.conformance.model import (
    AwaitClose,
    AwaitGate,
    AwaitInterim,
    AwaitResponse,
    AwaitTrace,
    Call,
    Case,
    Fate,
    Level,
    Open,
    Response,
    ResumeReading,
    Send,
    Step,
    StopReading,
)

# Long enough that the suite's own work between two steps never takes as long. The header timeout
# is the shortest: no case waits for two of these at once.
TIMEOUTS = (
    "--timeout-headers",
    "2",
    "--timeout-keep-alive",
    "2.5",
    "--timeout-body",
    "2",
    "--timeout-write",
    "2",
)
# Sweeps are coarse, never early; but a busy machine may start the client's clock late.
SOONEST = 1.2
SLEEP = ("sleep", 4.0)  # Longer than every one of them, and a sweep.
TIMEOUT_408 = "RFC 9110 section 15.5.9"
IDLE = "RFC 9112 section 9.5"


def _timeouts() -> list[Case]:
    def timed(
        name: str, number: int, clause: str, says: str, *sent: bytes | Step, **more: Any
    ) -> Case:
        return case(name, number, clause, says, *sent, options=TIMEOUTS, splittable=False, **more)

    request = get(b"/", b"Content-Length: 10", method=b"POST")
    dribble = [step for octet in get()[:8] for step in (Send(bytes([octet])),)]
    endless = (send(start()), ("send_many", body(special("zeros", 65_536), True), 2000))
    return [
        timed(
            "silent-client",
            85,
            IDLE,
            "a client that says nothing is closed without a word",
            AwaitClose(not_before=SOONEST),
            calls=(),
            level=Level.SHOULD,
        ),
        timed(
            "head-cut",
            85,
            TIMEOUT_408,
            "a head that does not end is answered with 408",
            b"GET / HTTP/1.1\r\nHost:",
            AwaitClose(not_before=SOONEST),
            responses=(error(408),),
            calls=(),
        ),
        timed(
            "head-one-octet",
            85,
            TIMEOUT_408,
            "one octet begins a request",
            b"G",
            AwaitClose(not_before=SOONEST),
            responses=(error(408),),
            calls=(),
        ),
        timed(
            "head-dribbled",
            85,
            TIMEOUT_408,
            "dribbled octets do not prolong the time",
            *dribble,
            AwaitClose(not_before=SOONEST / 2),
            responses=(error(408),),
            calls=(),
        ),
        timed(
            "second-head-cut",
            85,
            TIMEOUT_408,
            "the second request's head has its own time",
            get(),
            AwaitResponse(1),
            b"GET /",
            AwaitClose(not_before=SOONEST),
            responses=(hello(), error(408)),
            calls=(Call(),),
        ),
        timed(
            "crlf-only",
            85,
            IDLE,
            "an empty line alone begins no request that deserves a 408",
            b"\r\n",
            AwaitClose(not_before=SOONEST),
            calls=(),
            level=Level.CHOICE,
        ),
        timed(
            "idle-closed",
            86,
            IDLE,
            "an idle connection is closed without a word",
            get(),
            AwaitResponse(1),
            AwaitClose(not_before=SOONEST),
            responses=(hello(),),
            calls=(Call(),),
        ),
        timed(
            "idle-not-during-request",
            86,
            IDLE,
            "the idle timeout does not run while the application works",
            get(),
            AwaitGate("slept"),
            Open("slept"),
            app=((SLEEP, ("gate", "slept"), *HELLO),),
            responses=(hello(),),
            calls=(Call(),),
            fate=Fate.KEPT,
        ),
        timed(
            "idle-not-during-response",
            86,
            IDLE,
            "the idle timeout does not run while a response is streamed",
            get(),
            app=(
                (
                    send(start()),
                    send(body(b"one", True)),
                    SLEEP,
                    send(body(b"two", False)),
                ),
            ),
            responses=(ok(b"onetwo"),),
            calls=(Call(),),
            fate=Fate.KEPT,
        ),
        timed(
            "body-stalled",
            85,
            TIMEOUT_408,
            "content that stops coming while the application waits is answered with 408",
            request,
            AwaitClose(not_before=SOONEST),
            app=((READ_BODY,),),
            responses=(error(408),),
            calls=(Call(holds=(DISCONNECT,), lacks=(received(more=False),)),),
            level=Level.CHOICE,
        ),
        timed(
            "body-stalled-midway",
            85,
            TIMEOUT_408,
            "half of the content came",
            request + b"hello",
            AwaitClose(not_before=SOONEST),
            app=((READ_BODY,),),
            responses=(error(408),),
            calls=(Call(holds=(DISCONNECT,), lacks=(received(more=False),)),),
            level=Level.CHOICE,
        ),
        timed(
            "body-timer-waits-for-app",
            85,
            TIMEOUT_408,
            "the body timer does not run while the server does not wait for the client",
            request,
            AwaitGate("slept"),
            Open("slept"),
            b"0123456789",
            app=((SLEEP, ("gate", "slept"), *READ_AND_HELLO),),
            responses=(hello(),),
            calls=(Call(body=b"0123456789"),),
            fate=Fate.KEPT,
            level=Level.CHOICE,
        ),
        timed(
            "body-timer-with-continue",
            85,
            TIMEOUT_408,
            "the body timer runs after 100 (Continue), too",
            get(b"/", b"Content-Length: 10", b"Expect: 100-continue", method=b"POST"),
            AwaitInterim(100),
            AwaitClose(not_before=SOONEST),
            app=((READ_BODY,),),
            responses=(error(408, interim=(100,)),),
            calls=(Call(holds=(DISCONNECT,)),),
            level=Level.CHOICE,
        ),
        timed(
            "write-stalled",
            85,
            "quality",
            "a client that does not read its response is cut off, and send() raises",
            StopReading(),
            get(),
            AwaitTrace("send-raised"),
            ResumeReading(),
            AwaitClose(),
            app=(endless,),
            responses=(Response(200, complete=False),),
            fate=Fate.ANY,
            calls=(Call(holds=(refused("http.response.body", "OSError"),)),),
            level=Level.CHOICE,
        ),
        timed(
            "long-poll",
            86,
            IDLE,
            "an application may think longer than every timeout",
            get(),
            app=((("together", (UNTIL_DISCONNECT,), (SLEEP, *HELLO)),),),
            responses=(hello(),),
            calls=(Call(holds=(DISCONNECT,)),),
            fate=Fate.KEPT,
        ),
    ]


CASES = tuple(_timeouts())
