"""When the application fails (ASGI 3.0, "Error Handling"), and what the log says of requests."""

from __future__ import annotations

from typing import Any

from tests.conformance.behaviours import HELLO, READ_BODY, answer, body, send, start
from tests.conformance.cases.build import (
    BODY_SENT,
    START_SENT,
    accepted,
    case,
    ended,
    error,
    get,
    hello,
    post,
    rejected,
)
from tests.conformance.model import (
    AwaitResponse,
    Call,
    Case,
    Connect,
    Fate,
    Level,
    Response,
    Script,
    Send,
)

ERRORS = "ASGI 3.0, Error Handling"
LEEWAY = "ASGI HTTP 2.5, Response Start"
INCOMPLETE = "RFC 9112 section 8"
RAISE = ("raise", "ValueError")
RAISE_OUT_OF_GROUP = ("raise_out_of_group", "ValueError")
ONE = (send(start()), send(body(b"one", True)))
SIZED_ONE = (send(start(200, [(b"content-length", b"10")])), send(body(b"one", True)))
SECRET = (b"hunter2", b"Traceback", b"ValueError")


def fails(
    id: str,
    number: int,
    clause: str,
    says: str,
    app: Script,
    *responses: Response,
    sent: bytes = get(),
    **more: Any,
) -> Case:
    """Write a case of an application that fails."""
    more.setdefault("calls", (Call(),))
    more.setdefault("fate", Fate.REFUSED)
    return case(id, number, clause, says, sent, app=(app,), responses=responses, **more)


def _before_the_response() -> list[Case]:
    failed = error(500, raw_lacks=SECRET)
    return [
        fails(
            "return-without-start",
            56,
            ERRORS,
            "a return without a response is a 500",
            (),
            failed,
            level=Level.SHOULD,
        ),
        fails(
            "return-after-reading",
            56,
            ERRORS,
            "after the content was read, too",
            (READ_BODY,),
            failed,
            sent=post(b"hello"),
            level=Level.SHOULD,
        ),
        fails(
            "raise-before-start",
            57,
            ERRORS,
            "an exception is a 500 that tells nothing of it",
            (RAISE,),
            failed,
            level=Level.SHOULD,
        ),
        fails(
            "raise-after-reading",
            57,
            ERRORS,
            "after the content was read, too",
            (READ_BODY, RAISE),
            failed,
            sent=post(b"hello"),
            level=Level.SHOULD,
        ),
        fails(
            "raise-with-content-unread",
            57,
            ERRORS,
            "with content that was not read",
            (RAISE,),
            failed,
            sent=post(b"x" * 1000),
            splittable=False,
            level=Level.SHOULD,
        ),
        fails(
            "raise-out-of-group",
            57,
            ERRORS,
            "an exception that was taken out of a group, which is its context",
            (RAISE_OUT_OF_GROUP,),
            failed,
            log_has=("ERROR", "ValueError: raised by the script"),
            own_process=True,
            splittable=False,
            level=Level.CHOICE,
        ),
        fails(
            "raise-after-start",
            58,
            LEEWAY,
            "a start without a body gives way to a clean 500",
            (send(start(200, [(b"x-secret", b"hunter2")])), RAISE),
            failed,
            calls=(Call(trace=(START_SENT, ended("ValueError"))),),
            level=Level.CHOICE,
        ),
        fails(
            "return-after-start",
            58,
            LEEWAY,
            "so it does when the application returns",
            (send(start(200, [(b"x-secret", b"hunter2")])),),
            failed,
            level=Level.CHOICE,
        ),
        fails(
            "raise-head",
            57,
            ERRORS,
            "the 500 to HEAD has no content",
            (RAISE,),
            error(500, method="HEAD"),
            sent=get(method=b"HEAD"),
            level=Level.SHOULD,
        ),
        fails(
            "raise-pipelined",
            57,
            ERRORS,
            "what was pipelined behind a 500 is dropped",
            (RAISE,),
            failed,
            sent=get() + get(),
            level=Level.CHOICE,
            fate=Fate.GONE,
        ),
        fails(
            "raise-http-1.0",
            57,
            ERRORS,
            "a 500 in HTTP/1.0",
            (RAISE,),
            failed,
            sent=b"GET / HTTP/1.0\r\n\r\n",
            level=Level.SHOULD,
        ),
        fails(
            "raise-is-logged",
            57,
            "quality",
            "the traceback is in the log",
            (RAISE,),
            failed,
            log_has=("ERROR", "Traceback", "ValueError: raised by the script"),
            own_process=True,
            splittable=False,
            level=Level.CHOICE,
        ),
        fails(
            "return-is-logged",
            56,
            "quality",
            "and so is a return without a response",
            (),
            failed,
            log_has=("ERROR",),
            own_process=True,
            splittable=False,
            level=Level.CHOICE,
        ),
    ]


def _in_the_response() -> list[Case]:
    cut = Response(200, complete=False, raw_lacks=(b"\r\n0\r\n",))
    return [
        fails(
            "raise-in-body",
            59,
            INCOMPLETE,
            "no last chunk after an exception",
            (*ONE, RAISE),
            cut,
            fate=Fate.GONE,
        ),
        fails(
            "raise-out-of-group-in-body",
            59,
            INCOMPLETE,
            "nor after one that was taken out of its group",
            (*ONE, RAISE_OUT_OF_GROUP),
            cut,
            fate=Fate.GONE,
        ),
        fails(
            "return-in-body",
            59,
            INCOMPLETE,
            "no last chunk after a return",
            ONE,
            cut,
            fate=Fate.GONE,
            level=Level.SHOULD,
        ),
        fails(
            "raise-in-sized-body",
            59,
            INCOMPLETE,
            "the rest of a sized body stays away",
            (*SIZED_ONE, RAISE),
            cut,
            fate=Fate.GONE,
        ),
        fails(
            "return-in-sized-body",
            59,
            INCOMPLETE,
            "after a return, too",
            SIZED_ONE,
            cut,
            fate=Fate.GONE,
            level=Level.SHOULD,
        ),
        fails(
            "raise-in-body-http-1.0",
            59,
            INCOMPLETE,
            "where the close ends the content, a reset tells that it is not the end",
            (*ONE, RAISE),
            cut,
            sent=b"GET / HTTP/1.0\r\n\r\n",
            fate=Fate.RESET,
            level=Level.CHOICE,
        ),
        accepted(
            "raise-after-body",
            59,
            ERRORS,
            "an exception after the response costs nothing",
            get(),
            app=((*HELLO, RAISE),),
            calls=(Call(trace=(START_SENT, BODY_SENT, ended("ValueError"))),),
            level=Level.CHOICE,
        ),
        accepted(
            "raise-after-body-logged",
            59,
            "quality",
            "but it is logged",
            get(),
            app=((*HELLO, RAISE),),
            log_has=("ERROR", "ValueError"),
            own_process=True,
            splittable=False,
            level=Level.CHOICE,
        ),
        accepted(
            "return-value",
            60,
            ERRORS,
            "a returned value does not harm the response",
            get(),
            app=((("return", 42), *HELLO),),
            level=Level.CHOICE,
        ),
        accepted(
            "return-value-logged",
            60,
            "quality",
            "but it is worth a warning",
            get(),
            app=((("return", 42), *HELLO),),
            log_has=("WARNING.*42",),
            own_process=True,
            splittable=False,
            level=Level.CHOICE,
        ),
    ]


def _not_exceptions() -> list[Case]:
    def survives(name: str, app: Script, *responses: Response) -> Case:
        return case(
            f"base-exception-{name}",
            61,
            "ASGI 3.0",
            "the server goes on, the connection ends",
            get(),
            AwaitResponse(1),
            Connect(on="b"),
            Send(get(), on="b"),
            app=(app, HELLO),
            responses=(*responses, hello(on="b")),
            calls=(Call(), Call(on="b")),
            fate=Fate.GONE,
            own_process=True,
            splittable=False,
            level=Level.CHOICE,
        )

    cut = Response(200, complete=False)
    return [
        *(
            survives(name.lower(), (("raise", name),), error(500))
            for name in ("CancelledError", "KeyboardInterrupt", "SystemExit")
        ),
        *(
            survives(f"{name.lower()}-in-body", (*ONE, ("raise", name)), cut)
            for name in ("CancelledError", "KeyboardInterrupt", "SystemExit")
        ),
    ]


def _log() -> list[Case]:
    own: dict[str, Any] = {
        "own_process": True,
        "splittable": False,
        "level": Level.CHOICE,
        "esg_only": True,
    }
    return [
        accepted(
            "log-access",
            87,
            "quality",
            "a line for every response, on standard output",
            get(b"/a%20b?c=d"),
            log_has=(r'INFO: +127\.0\.0\.1:{port} - "GET /a%20b\?c=d HTTP/1\.1" 200',),
            **own,
        ),
        accepted(
            "log-access-status",
            87,
            "quality",
            "with the status of the response",
            get(),
            app=(answer(status=404),),
            responses=(Response(404),),
            log_has=(r'INFO: +127\.0\.0\.1:{port} - "GET / HTTP/1\.1" 404',),
            **own,
        ),
        accepted(
            "log-access-off",
            87,
            "quality",
            "none with --no-access-log",
            get(),
            options=("--no-access-log",),
            log_lacks=("GET /",),
            **own,
        ),
        rejected(
            "log-rejected",
            87,
            "quality",
            "a line for every rejected request, with the reason",
            b"GET / HTTP/1.1\r\n\r\n",
            log_has=(r"WARNING: +127\.0\.0\.1:{port} - rejected with 400: \S",),
            **own,
        ),
        rejected(
            "log-rejected-no-forgery",
            87,
            "quality",
            "what the client sent cannot forge a line",
            b"GET / HTTP/1.1\r\nHost: a\r\nX\x1b[31m\x00: b\r\n\r\n",
            log_has=(r"rejected with 400",),
            log_lacks=("\x1b", "\x00"),
            **own,
        ),
        case(
            "log-rejected-content",
            27,
            "quality",
            "an application whose request was rejected is not blamed for its return",
            get(b"/", b"Transfer-Encoding: chunked", method=b"POST") + b"zz\r\n",
            app=((READ_BODY,),),
            responses=(error(400),),
            calls=(Call(),),
            log_has=("rejected with 400",),
            log_lacks=("ERROR",),
            **own,
        ),
    ]


CASES = (*_before_the_response(), *_in_the_response(), *_not_exceptions(), *_log())
