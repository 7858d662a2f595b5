"""The lifespan of the application (ASGI lifespan 2.0)."""

from __future__ import annotations

from typing import Any

from tests.conformance.behaviours import LIFESPAN, RECEIVE, STARTED, STOPPED, send, try_send
from tests.conformance.cases.build import RETURNED, case, ended, get, hello, mark, refused, sent
from tests.conformance.model import (
    AwaitClose,
    AwaitExit,
    AwaitGate,
    AwaitLog,
    AwaitResponse,
    Call,
    Case,
    Connect,
    ConnectRefused,
    Fate,
    Level,
    Open,
    Script,
    Seen,
    Signal,
    Step,
)

SCOPE = "ASGI lifespan 2.0, Scope"
STARTUP = "ASGI lifespan 2.0, Startup"
SHUTDOWN = "ASGI lifespan 2.0, Shutdown"
STARTUP_EVENT = Seen("receive", "lifespan.startup")
SHUTDOWN_EVENT = Seen("receive", "lifespan.shutdown")
COMPLETE = sent("lifespan.startup.complete")
ON = ("--lifespan", "on")
FAILED = {"type": "lifespan.startup.failed", "message": "no database today"}
SHUTDOWN_FAILED = {"type": "lifespan.shutdown.failed", "message": "could not flush"}
TERM = Signal("TERM")
SERVE: tuple[Step | bytes, ...] = (get(), AwaitResponse(1), TERM, AwaitClose(), AwaitExit(0))


def runs(  # noqa: PLR0917 - a case reads as the row of a table
    id: str,
    number: int,
    clause: str,
    says: str,
    lifespan: Script,
    trace: Any,
    *steps: Step | bytes,
    **more: Any,
) -> Case:
    """Write a case of a process of its own: its lifespan's script and what that must see."""
    call = None if trace is None else trace if isinstance(trace, Call) else Call(trace=trace)
    more.setdefault(
        "responses", (hello(),) if any(isinstance(step, bytes) for step in steps) else ()
    )
    more.setdefault("calls", (Call(),) if more["responses"] else None)
    more.setdefault("fate", Fate.CLOSED if more["responses"] else Fate.ANY)
    return case(
        id,
        number,
        clause,
        says,
        *steps,
        lifespan=lifespan,
        lifespan_call=call,
        own_process=True,
        splittable=False,
        **more,
    )


def refuses(  # noqa: PLR0917 - a case reads as the row of a table
    id: str, number: int, clause: str, says: str, lifespan: Script, trace: Any, **more: Any
) -> Case:
    """Write a case of an application that must not be served: exit code 3."""
    return runs(id, number, clause, says, lifespan, trace, AwaitExit(3), listens=False, **more)


CASES = (
    runs(
        "order",
        116,
        SHUTDOWN,
        "startup, requests, shutdown, once each",
        LIFESPAN,
        (STARTUP_EVENT, COMPLETE, SHUTDOWN_EVENT, sent("lifespan.shutdown.complete"), RETURNED),
        *SERVE,
    ),
    runs(
        "required",
        116,
        STARTUP,
        "the same with --lifespan on",
        LIFESPAN,
        (STARTUP_EVENT, COMPLETE, SHUTDOWN_EVENT, sent("lifespan.shutdown.complete"), RETURNED),
        *SERVE,
        options=ON,
    ),
    runs(
        "scope",
        121,
        SCOPE,
        "its scope has type, versions and a state",
        LIFESPAN,
        Call(scope={"type": "lifespan", "state": {}}),
        *SERVE,
    ),
    runs(
        "off",
        114,
        SCOPE,
        "--lifespan off runs none",
        LIFESPAN,
        None,
        *SERVE,
        options=("--lifespan", "off"),
        lifespan_runs=0,
        level=Level.CHOICE,
    ),
    runs(
        "waits-for-complete",
        112,
        STARTUP,
        "no connection is accepted before startup.complete",
        (RECEIVE, ("gate", "start"), send(STARTED), RECEIVE, send(STOPPED)),
        None,
        AwaitGate("start", on="lifespan"),
        ConnectRefused(),
        Open("start", on="lifespan"),
        AwaitLog("listening on"),
        Connect(),
        get(),
        AwaitResponse(1),
        TERM,
        AwaitClose(),
        AwaitExit(0),
        listens=False,
        options=("--port", "{free_port}"),
    ),
    refuses(
        "startup-failed",
        113,
        STARTUP,
        "startup.failed: its message is logged, exit 3",
        (RECEIVE, send(FAILED)),
        (STARTUP_EVENT, sent("lifespan.startup.failed"), RETURNED),
        log_has=("no database today",),
    ),
    refuses(
        "startup-failed-required",
        113,
        STARTUP,
        "the same with --lifespan on",
        (RECEIVE, send(FAILED)),
        (STARTUP_EVENT, sent("lifespan.startup.failed"), RETURNED),
        log_has=("no database today",),
        options=ON,
    ),
    refuses(
        "startup-failed-no-shutdown",
        113,
        STARTUP,
        "shutdown is not sent after a failure",
        (RECEIVE, send(FAILED), RECEIVE),
        Call(lacks=(SHUTDOWN_EVENT,)),
    ),
    runs(
        "raise-before-startup",
        114,
        SCOPE,
        "an exception before the startup event: no lifespan, one INFO line, the server goes on",
        (("raise", "ValueError"),),
        (ended("ValueError"),),
        *SERVE,
        log_has=("INFO.*lifespan",),
        log_lacks=("ERROR", "Traceback"),
    ),
    runs(
        "return-before-startup",
        114,
        SCOPE,
        "so does a return",
        (),
        (RETURNED,),
        *SERVE,
        log_has=("INFO.*lifespan",),
        log_lacks=("ERROR",),
        level=Level.CHOICE,
    ),
    refuses(
        "raise-before-startup-required",
        114,
        SCOPE,
        "with --lifespan on: exit 3",
        (("raise", "ValueError"),),
        (ended("ValueError"),),
        options=ON,
        level=Level.CHOICE,
    ),
    refuses(
        "return-before-startup-required",
        114,
        SCOPE,
        "a return with --lifespan on: exit 3",
        (),
        (RETURNED,),
        options=ON,
        level=Level.CHOICE,
    ),
    runs(
        "raise-in-startup",
        115,
        SCOPE,
        "an exception after the startup event: traceback at ERROR, the server goes on",
        (RECEIVE, ("raise", "ValueError")),
        (STARTUP_EVENT, ended("ValueError")),
        *SERVE,
        log_has=("ERROR", "Traceback", "ValueError"),
    ),
    runs(
        "return-in-startup",
        115,
        SCOPE,
        "a return after the startup event: the server goes on",
        (RECEIVE,),
        (STARTUP_EVENT, RETURNED),
        *SERVE,
        log_has=("ERROR",),
        level=Level.CHOICE,
    ),
    refuses(
        "raise-in-startup-required",
        115,
        SCOPE,
        "with --lifespan on: exit 3, and the traceback",
        (RECEIVE, ("raise", "ValueError")),
        (STARTUP_EVENT, ended("ValueError")),
        options=ON,
        log_has=("ValueError",),
        level=Level.CHOICE,
    ),
    refuses(
        "return-in-startup-required",
        115,
        SCOPE,
        "a return with --lifespan on: exit 3",
        (RECEIVE,),
        (STARTUP_EVENT, RETURNED),
        options=ON,
        level=Level.CHOICE,
    ),
    runs(
        "shutdown-failed",
        116,
        SHUTDOWN,
        "shutdown.failed: its message is logged",
        (RECEIVE, send(STARTED), RECEIVE, send(SHUTDOWN_FAILED)),
        (STARTUP_EVENT, COMPLETE, SHUTDOWN_EVENT, sent("lifespan.shutdown.failed"), RETURNED),
        *SERVE,
        log_has=("could not flush",),
        level=Level.CHOICE,
    ),
    runs(
        "raise-in-shutdown",
        116,
        SHUTDOWN,
        "an exception in shutdown is logged, the exit clean",
        (RECEIVE, send(STARTED), RECEIVE, ("raise", "ValueError")),
        (STARTUP_EVENT, COMPLETE, SHUTDOWN_EVENT, ended("ValueError")),
        *SERVE,
        log_has=("ValueError",),
    ),
    runs(
        "shutdown-awaited",
        116,
        SHUTDOWN,
        "the server waits for shutdown.complete",
        (RECEIVE, send(STARTED), RECEIVE, ("sleep", 0.5), ("mark", "cleaned"), send(STOPPED)),
        (
            STARTUP_EVENT,
            COMPLETE,
            SHUTDOWN_EVENT,
            mark("cleaned"),
            sent("lifespan.shutdown.complete"),
            RETURNED,
        ),
        *SERVE,
    ),
    runs(
        "shutdown-bounded",
        116,
        SHUTDOWN,
        "but not for ever",
        (RECEIVE, send(STARTED), RECEIVE, ("gate", "never")),
        Call(order=(STARTUP_EVENT, COMPLETE, SHUTDOWN_EVENT)),
        *SERVE[:-1],
        AwaitExit(0),
        options=("--timeout-lifespan", "0.5"),
        log_has=("ERROR",),
        level=Level.CHOICE,
    ),
    runs(
        "return-after-complete",
        117,
        SCOPE,
        "an early return after complete is a clean one",
        (RECEIVE, send(STARTED)),
        (STARTUP_EVENT, COMPLETE, RETURNED),
        *SERVE,
        log_lacks=("ERROR", "Traceback"),
    ),
    runs(
        "unknown-message",
        118,
        "ASGI 3.0, Error Handling",
        "an unknown message raises",
        (RECEIVE, try_send({"type": "lifespan.bogus"}), *LIFESPAN[1:]),
        Call(order=(STARTUP_EVENT, refused("lifespan.bogus"), COMPLETE, SHUTDOWN_EVENT, RETURNED)),
        *SERVE,
    ),
    runs(
        "http-message",
        118,
        "ASGI 3.0, Error Handling",
        "a message of HTTP raises",
        (RECEIVE, try_send({"type": "http.response.start", "status": 200}), *LIFESPAN[1:]),
        Call(order=(refused("http.response.start"), COMPLETE, SHUTDOWN_EVENT, RETURNED)),
        *SERVE,
    ),
    runs(
        "no-type",
        118,
        "ASGI 3.0, Error Handling",
        "a message without a type raises",
        (RECEIVE, try_send({}), *LIFESPAN[1:]),
        Call(order=(Seen("refused", "None"), COMPLETE, SHUTDOWN_EVENT, RETURNED)),
        *SERVE,
    ),
    runs(
        "complete-twice",
        118,
        STARTUP,
        "startup.complete twice raises",
        (RECEIVE, send(STARTED), try_send(STARTED), RECEIVE, send(STOPPED)),
        Call(order=(COMPLETE, refused("lifespan.startup.complete"), SHUTDOWN_EVENT, RETURNED)),
        *SERVE,
        level=Level.CHOICE,
    ),
    runs(
        "complete-before-receive",
        118,
        STARTUP,
        "startup.complete before the startup event was received raises",
        (try_send(STARTED), *LIFESPAN),
        Call(
            order=(
                refused("lifespan.startup.complete"),
                STARTUP_EVENT,
                COMPLETE,
                SHUTDOWN_EVENT,
                RETURNED,
            )
        ),
        *SERVE,
        level=Level.CHOICE,
    ),
    runs(
        "shutdown-complete-early",
        118,
        SHUTDOWN,
        "shutdown.complete before shutdown raises",
        (RECEIVE, send(STARTED), try_send(STOPPED), RECEIVE, send(STOPPED)),
        Call(order=(COMPLETE, refused("lifespan.shutdown.complete"), SHUTDOWN_EVENT, RETURNED)),
        *SERVE,
        level=Level.CHOICE,
    ),
    runs(
        "stop-during-startup",
        116,
        SHUTDOWN,
        "a signal during the start-up ends the process",
        (RECEIVE, ("gate", "never")),
        None,
        AwaitGate("never", on="lifespan"),
        TERM,
        AwaitExit(None),
        listens=False,
        level=Level.CHOICE,
    ),
)
