"""Clients that are lost, and applications that end."""

from __future__ import annotations

from typing import Any

from tests.conformance.behaviours import RECEIVE, send, special, try_send
from tests.conformance.cases.build import refused
from tests.conformance.cases.websocket_build import (
    ACCEPT,
    ACCEPTED,
    CHOICE,
    CONNECT,
    LISTEN,
    OVER,
    RETURNED,
    UNTIL_DISCONNECT,
    close,
    closed,
    disconnect,
    end,
    got,
    message,
    say,
    session,
    text,
)
from tests.conformance.cases.websocket_session.build import DISCONNECTED, SHOULD
from tests.conformance.model import (
    AwaitFrame,
    Call,
    Case,
    Close,
    Fate,
    HalfClose,
    Reset,
    Seen,
    Step,
)

GONE = "ASGI WebSocket 2.5, Disconnected Client"
SCOPE = "ASGI WebSocket 2.5, Connection Scope"


def _lost() -> list[Case]:
    def lost(name: str, words: str, *steps: bytes | Step, **details: Any) -> Case:
        seen = details.pop("seen", ())
        details.setdefault("app", (LISTEN,))
        details.setdefault(
            "calls",
            (Call(trace=(CONNECT, ACCEPTED, *seen, disconnect(1006, ours=True), RETURNED)),),
        )
        clause, number = details.pop("clause", DISCONNECTED), details.pop("number", 103)
        return session(f"lost-{name}", number, clause, words, *steps, fate=Fate.ANY, **details)

    def gone(name: str, words: str, leave: Step | bytes, *script: Any, **details: Any) -> Case:
        """Write a case in which the application sends to a client that has gone."""
        seen = details.pop("seen")
        return session(
            f"gone-{name}",
            104,
            GONE,
            words,
            leave,
            app=((*LISTEN, *script),),
            frames=None,
            calls=(Call(order=(ACCEPTED, disconnect(), *seen, RETURNED)),),
            fate=Fate.ANY,
            level=details.pop("level", SHOULD),
            **details,
        )

    late = try_send(say("late"))
    no_send = refused("websocket.send", "OSError")
    endless = ("send_until_error", say(data=special("zeros", 65_536)), 100_000)
    return [
        session(
            "failed",
            106,
            DISCONNECTED,
            "the application hears of a connection that the server has failed",
            text("a", key=None),
            app=(LISTEN,),
            frames=None,
            calls=(Call(trace=(CONNECT, ACCEPTED, disconnect(1002, ours=True), RETURNED)),),
        ),
        *(
            session(
                f"fails-with-{code}",
                106,
                "RFC 6455 sections 7.1.7 and 7.4.1",
                f"a connection that fails is closed with an appropriate code, here {code}",
                sent,
                app=(LISTEN,),
                frames=(closed(code),),
                level=SHOULD,
            )
            for code, sent in ((1002, text("a", key=None)), (1007, text(b"\xff")))
        ),
        lost("close", "a client that closes without a close frame", Close()),
        lost("reset", "or resets", Reset()),
        lost("half-close", "or sends FIN", HalfClose()),
        lost("in-frame", "in the middle of a frame", text("Hello")[:7], Close()),
        lost("in-header", "or of a header", text("a" * 200)[:3], Close()),
        lost("in-message", "or of a message", text("a", fin=False), Close()),
        lost("behind-message", "behind a message, which is delivered first", text("a"), Close(),
             seen=(message("a"),)),
        lost("again", "receive() gives disconnect every time", Close(), app=((*LISTEN, RECEIVE),),
             calls=(Call(order=(*[disconnect(1006)] * 2, RETURNED)),), level=CHOICE),
        gone("closed", "send() raises an OSError after the disconnect", close(1000), late, seen=(no_send,)),
        gone("lost", "after a loss", Close(), late, seen=(no_send,)),
        gone("reset", "and after a reset", Reset(), late, seen=(no_send,)),
        gone("failed", "and after a failure", text("a", key=None), late, seen=(no_send,)),
        gone("again", "every time", Close(), late, late, late, seen=(no_send,) * 3),
        gone("close", "close() after it, too", Close(), try_send(end()),
             seen=(refused("websocket.close", "OSError"),), level=CHOICE),
        session(
            "gone-streaming",
            104,
            GONE,
            "send() soon raises when the client resets while messages are sent",
            AwaitFrame("binary"),
            Reset(),
            app=((*ACCEPT, endless, UNTIL_DISCONNECT),),
            frames=None,
            calls=(Call(order=(no_send, disconnect(1006, ours=True), RETURNED)),),
            fate=Fate.ANY,
            splittable=False,
            level=SHOULD,
        ),
        session(
            "gone-wrapped",
            62,
            GONE,
            "what send() raises may leave the application, wrapped as well: no error of its own",
            Reset(),
            app=((*LISTEN, ("wrap", (send(say("late")),))),),
            frames=None,
            calls=(Call(order=(no_send, Seen("end", "RuntimeError"))),),
            fate=Fate.ANY,
            own_process=True,
            splittable=False,
            log_lacks=("ERROR",),
            level=CHOICE,
        ),
    ]  # fmt: skip


def _app_ends() -> list[Case]:
    def ends(name: str, words: str, *script: Any, **details: Any) -> Case:
        frames = details.pop("frames")
        details.setdefault("clause", SCOPE)
        return session(
            f"app-{name}",
            105,
            details.pop("clause"),
            words,
            app=((*ACCEPT, *script),),
            frames=frames,
            level=details.pop("level", SHOULD),
            **details,
        )

    # The socket should be closed: ASGI does not say how.
    failure = closed(1011, by_server=True, alternatives=(1006, 1001, 1000))
    returned = closed(1000, by_server=True, alternatives=(1001, 1011))
    return [
        ends("returns", "an application that returns: 1000", frames=(returned,)),
        ends(
            "returns-value", "a value does not matter", ("return", 42), frames=(returned,),
            level=CHOICE,
        ),
        ends(
            "returns-behind",
            "what it has sent is delivered first",
            send(say("a" * 100_000)),
            frames=(got("a" * 100_000), returned),
        ),
        ends(
            "raises",
            "an application that raises: 1011, and nothing of the exception",
            ("raise", "ValueError"),
            frames=(failure,),
            log_has=("ERROR", "ValueError: raised by the script"),
        ),
        ends(
            "raises-oserror",
            "an OSError of its own is an error like others",
            ("raise", "OSError"),
            frames=(failure,),
            log_has=("OSError: raised by the script",),
        ),
        ends("raises-behind", "behind its messages", send(say("a")), ("raise", "ValueError"),
             frames=(got("a"), failure)),
        session(
            "app-raises-after-disconnect",
            105,
            SCOPE,
            "an application that raises once the client has closed: nothing more is sent",
            close(1000),
            app=((*LISTEN, ("raise", "ValueError")),),
            frames=(OVER,),
            calls=(Call(order=(disconnect(1000, ours=True), Seen("end", "ValueError"))),),
        ),
        session(
            "app-works-on",
            105,
            SCOPE,
            "after the disconnect the application may go on with its work",
            close(1000),
            AwaitFrame("close"),
            app=((*LISTEN, ("sleep", 0.2), ("mark", "done")),),
            frames=(OVER,),
            calls=(Call(order=(disconnect(1000, ours=True), Seen("mark", "done"), RETURNED)),),
            level=CHOICE,
        ),
    ]  # fmt: skip


CASES = (*_lost(), *_app_ends())
