"""The extension "websocket.http.response": an application's own refusal."""

from __future__ import annotations

from typing import Any

from tests.conformance.behaviours import RECEIVE, send, sized, try_send
from tests.conformance.cases.build import case, error, refused
from tests.conformance.cases.websocket_accept.build import DENIAL, NEEDS_DENIAL, denial, denial_body
from tests.conformance.cases.websocket_build import (
    CHOICE,
    CONNECT,
    RETURNED,
    disconnect,
    handshake,
    say,
)
from tests.conformance.model import Call, Case, Fate, Level, Response, Seen

DENIED = Seen("send", "websocket.http.response.start")
DENIED_BODY = Seen("send", "websocket.http.response.body")
NO_UPGRADE = {"upgrade": None, "sec-websocket-accept": None}


def _denied() -> list[Case]:
    def denies(name: str, says: str, expected: Response, *entries: Any, **more: Any) -> Case:
        more.setdefault("level", CHOICE)
        more.setdefault("fate", Fate.REFUSED)
        return case(
            f"denial-{name}",
            93,
            DENIAL,
            says,
            handshake(),
            app=((RECEIVE, *entries),),
            responses=(expected,),
            needs=NEEDS_DENIAL,
            **more,
        )

    login = [(b"www-authenticate", b"Basic"), *sized(b"who?")]
    wholly = (Call(order=(CONNECT, DENIED, DENIED_BODY, RETURNED)),)
    raised = ("raise", "ValueError")
    return [
        denies(
            "plain",
            "status, headers and content of the application's; no upgrade",
            Response(401, {**NO_UPGRADE, "www-authenticate": "Basic"}, b"who?"),
            send(denial(401, login)),
            send(denial_body(b"who?")),
            calls=wholly,
            level=Level.MUST,
        ),
        denies(
            "two-bodies",
            "content in two pieces",
            Response(403, NO_UPGRADE, b"onetwo"),
            send(denial(403)),
            send(denial_body(b"one", True)),
            send(denial_body(b"two", False)),
            level=Level.MUST,
        ),
        denies(
            "empty",
            "no content; the connection is closed, as it says",
            Response(404, {**NO_UPGRADE, "connection": "close"}, b""),
            send(denial(404)),
            send(denial_body()),
        ),
        denies(
            "redirect",
            "any status",
            Response(302, {"location": "/elsewhere"}, b""),
            send(denial(302, [(b"location", b"/elsewhere"), (b"content-length", b"0")])),
            send(denial_body()),
        ),
        denies(
            "no-content",
            "a status without content",
            Response(204, {"content-length": None}, b""),
            send(denial(204)),
            send(denial_body()),
        ),
        denies(
            "then-receive",
            "after it, receive() gives disconnect",
            Response(403, body=b"no"),
            send(denial(403, sized(b"no"))),
            send(denial_body(b"no")),
            RECEIVE,
            calls=(Call(order=(DENIED_BODY, disconnect(1006), RETURNED)),),
        ),
        denies(
            "then-send",
            "after it, nothing can be sent",
            Response(403, body=b"no"),
            send(denial(403, sized(b"no"))),
            send(denial_body(b"no")),
            try_send(say("late")),
            calls=(Call(order=(DENIED_BODY, refused("websocket.send"), RETURNED)),),
        ),
        denies(
            "then-accept",
            "once it has begun, the connection cannot be accepted any more",
            Response(403, body=b"no"),
            send(denial(403, sized(b"no"))),
            try_send({"type": "websocket.accept"}),
            send(denial_body(b"no")),
            calls=(Call(order=(DENIED, refused("websocket.accept"), DENIED_BODY, RETURNED)),),
        ),
        denies(
            "too-long",
            "content longer than its Content-Length raises",
            Response(403, body=b"no"),
            send(denial(403, sized(b"no"))),
            try_send(denial_body(b"nonono")),
            send(denial_body(b"no")),
            calls=(Call(order=(refused("websocket.http.response.body"), DENIED_BODY, RETURNED)),),
        ),
        denies("start-alone", "a beginning alone is a 500", error(500), send(denial(403))),
        denies("raise", "a raise before the content, too", error(500), send(denial(403)), raised),
        denies(
            "cut",
            "a raise in the middle of the content leaves it incomplete",
            Response(403, complete=False),
            send(denial(403)),
            send(denial_body(b"one", True)),
            raised,
            fate=Fate.GONE,
        ),
    ]


CASES = tuple(_denied())
