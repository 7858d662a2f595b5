"""Limits on what a request may hold, and on the time that it may take."""

from __future__ import annotations

from typing import Any

from tests.conformance.behaviours import (
    HELLO,
    READ_AND_ECHO,
    READ_AND_HELLO,
    READ_BODY,
    UNTIL_DISCONNECT,
    body,
    send,
    special,
    start,
)
from tests.conformance.cases.build import (
    DISCONNECT,
    HOST,
    accepted,
    case,
    error,
    get,
    hello,
    ok,
    post,
    post_chunked,
    received,
    refused,
    rejected,
)
from tests.conformance.model import (
    AwaitClose,
    AwaitGate,
    AwaitInterim,
    AwaitResponse,
    AwaitTrace,
    Call,
    Case,
    Connect,
    Fate,
    Level,
    Open,
    Response,
    ResumeReading,
    Send,
    Step,
    StopReading,
)

LIMITS = (
    "--limit-head-size",
    "1024",
    "--limit-fields",
    "10",
    "--limit-target-size",
    "100",
    "--limit-body-size",
    "1000",
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

TOO_LARGE_FIELDS = "RFC 6585 section 5"
TARGET_TOO_LONG = "RFC 9110 section 15.5.15"
CONTENT_TOO_LARGE = "RFC 9110 section 15.5.14"
TIMEOUT_408 = "RFC 9110 section 15.5.9"
IDLE = "RFC 9112 section 9.5"


def _fields(count: int) -> bytes:
    """Write a request with `count` fields, Host among them."""
    lines = b"".join(b"X-%d: y\r\n" % n for n in range(count - 1))
    return b"GET / HTTP/1.1\r\n" + HOST + lines + b"\r\n"


def _head(size: int) -> bytes:
    """Write a request whose head has `size` bytes."""
    frame = b"GET / HTTP/1.1\r\n" + HOST + b"X: "
    return frame + b"v" * (size - len(frame) - 4) + b"\r\n\r\n"


def _limits() -> list[Case]:
    def over(name: str, clause: str, says: str, sent: bytes, status: int, **more: Any) -> Case:
        return rejected(name, 80, clause, says, sent, status=status, options=LIMITS, **more)

    def under(name: str, clause: str, says: str, sent: bytes, **more: Any) -> Case:
        return accepted(name, 80, clause, says, sent, options=LIMITS, **more)

    chunk = b"%x\r\n" % 500 + b"x" * 500 + b"\r\n"
    late = {
        "app": ((READ_BODY,),),
        "calls": (Call(holds=(DISCONNECT,), lacks=(received(more=False),)),),
    }
    return [
        under("head-at-limit", TOO_LARGE_FIELDS, "a head of the limit's size", _head(1024)),
        over("head-over-limit", TOO_LARGE_FIELDS, "one byte more", _head(1025), 431),
        over("head-endless", TOO_LARGE_FIELDS, "a head that never ends", _head(3000)[:-4], 431),
        over(
            "head-endless-name",
            TOO_LARGE_FIELDS,
            "a field name that never ends",
            b"GET / HTTP/1.1\r\n" + HOST + b"x" * 2000,
            431,
        ),
        over("head-one-field-large", TOO_LARGE_FIELDS, "one large field", _head(2000), 431),
        under("fields-at-limit", TOO_LARGE_FIELDS, "as many fields as allowed", _fields(10)),
        over("fields-over-limit", TOO_LARGE_FIELDS, "one field more", _fields(11), 431),
        under(
            "target-at-limit",
            TARGET_TOO_LONG,
            "a target of the limit's size",
            get(b"/" + b"a" * 99),
        ),
        over("target-over-limit", TARGET_TOO_LONG, "one byte more", get(b"/" + b"a" * 100), 414),
        over(
            "target-over-limit-query",
            TARGET_TOO_LONG,
            "the query belongs to the target",
            get(b"/?" + b"a" * 99),
            414,
        ),
        over(
            "target-over-limit-absolute",
            TARGET_TOO_LONG,
            "so does the authority",
            get(b"http://example.org/" + b"a" * 90),
            414,
        ),
        over(
            "target-endless",
            TARGET_TOO_LONG,
            "a target that never ends",
            b"GET /" + b"a" * 500,
            414,
        ),
        over(
            "target-over-all-limits",
            TARGET_TOO_LONG,
            "a target beyond the head's limit is still a target too long",
            get(b"/" + b"a" * 3000),
            414,
            level=Level.CHOICE,
        ),
        under(
            "content-at-limit",
            CONTENT_TOO_LARGE,
            "content of the limit's size",
            post(b"x" * 1000),
            app=(READ_AND_ECHO,),
            responses=(ok(b"x" * 1000),),
            splittable=False,
        ),
        over(
            "content-over-limit",
            CONTENT_TOO_LARGE,
            "one byte more is refused by its length",
            post(b"x" * 1001),
            413,
        ),
        over(
            "content-over-limit-far",
            CONTENT_TOO_LARGE,
            "a huge length is refused at once",
            get(b"/", b"Content-Length: 99999999999"),
            413,
        ),
        over(
            "content-over-limit-expect",
            CONTENT_TOO_LARGE,
            "it is refused instead of asked for",
            get(b"/", b"Content-Length: 5000", b"Expect: 100-continue"),
            413,
        ),
        under(
            "chunked-at-limit",
            CONTENT_TOO_LARGE,
            "chunked content of the limit's size",
            post_chunked(chunk * 2 + b"0\r\n\r\n"),
            app=(READ_AND_ECHO,),
            responses=(ok(b"x" * 1000),),
            splittable=False,
        ),
        over(
            "chunked-over-limit",
            CONTENT_TOO_LARGE,
            "chunked content is counted, and refused when it is too much",
            post_chunked(chunk * 2 + b"1\r\nx\r\n0\r\n\r\n"),
            413,
            splittable=False,
            **late,
        ),
        over(
            "chunk-over-limit",
            CONTENT_TOO_LARGE,
            "the size of one chunk is enough",
            post_chunked(b"fffff\r\n" + b"x" * 10),
            413,
            **late,
        ),
        over(
            "trailers-over-limit",
            TOO_LARGE_FIELDS,
            "trailers are limited as fields are",
            post_chunked(b"0\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(11)) + b"\r\n"),
            431,
            level=Level.CHOICE,
            **late,
        ),
        rejected(
            "default-fields",
            80,
            TOO_LARGE_FIELDS,
            "a hundred fields are the default limit",
            _fields(101),
            status=431,
            level=Level.CHOICE,
            splittable=False,
            esg_only=True,
        ),
        accepted(
            "default-fields-under",
            80,
            TOO_LARGE_FIELDS,
            "a hundred fields pass",
            _fields(100),
            splittable=False,
        ),
        rejected(
            "default-head",
            80,
            TOO_LARGE_FIELDS,
            "64 KiB of head are the default limit",
            _head(65537),
            status=431,
            level=Level.CHOICE,
            splittable=False,
            esg_only=True,
        ),
        accepted(
            "default-head-under",
            80,
            TOO_LARGE_FIELDS,
            "64 KiB of head pass",
            _head(65536),
            splittable=False,
            esg_only=True,
        ),
        rejected(
            "default-target",
            80,
            TARGET_TOO_LONG,
            "8 KiB of target are the default limit",
            get(b"/" + b"a" * 8192),
            status=414,
            level=Level.CHOICE,
            splittable=False,
            esg_only=True,
        ),
        accepted(
            "default-target-under",
            80,
            "RFC 9110 section 4.1",
            "8000 octets of target pass",
            get(b"/" + b"a" * 7999),
            splittable=False,
            level=Level.SHOULD,
        ),
    ]


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


CASES = (*_limits(), *_timeouts(), *_concurrency())
