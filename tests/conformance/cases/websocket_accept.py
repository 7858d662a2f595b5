"""Between the handshake and its answer: accept, refuse, deny, or fail (ASGI WebSocket 2.5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.conformance.behaviours import RECEIVE, send, sized, special, start, try_send
from tests.conformance.cases.build import case, error, refused
from tests.conformance.cases.websocket_build import (
    ACCEPTED,
    CLOSE_SENT,
    CONNECT,
    ECHO,
    RETURNED,
    SENT,
    UNTIL_DISCONNECT,
    accept,
    binary,
    close,
    closed,
    disconnect,
    end,
    got,
    handshake,
    message,
    opened,
    ping,
    ponged,
    say,
    switched,
    text,
)
from tests.conformance.model import (
    AwaitFrame,
    AwaitGate,
    AwaitSilence,
    AwaitTrace,
    Call,
    Case,
    Close,
    Fate,
    Fill,
    Level,
    Open,
    Reset,
    Response,
    Seen,
    Step,
)

RESPONSE = "RFC 6455 section 4.2.2"
CONNECTING = "ASGI WebSocket 2.5, Connect"
ACCEPTING = "ASGI WebSocket 2.5, Accept"
CLOSING = "ASGI WebSocket 2.5, Close"
DISCONNECTED = "ASGI WebSocket 2.5, Disconnect"
DENIAL = "ASGI extensions, WebSocket Denial Response"
SCOPE = "ASGI WebSocket 2.5, Connection Scope"
ERRORS = "ASGI 3.0, Error Handling"
GONE = "ASGI WebSocket 2.5, Disconnected Client"
CHOICE = Level.CHOICE

OFFER = b"Sec-WebSocket-Protocol: a, b, c"
GATE = ("gate", "go")
ARRIVED = AwaitTrace("receive", "websocket.connect")


def _accepted() -> list[Case]:
    def accepts(name: str, says: str, expected: Response, offer: bytes, **entries: Any) -> Case:
        return opened(
            f"accept-{name}",
            90,
            ACCEPTING,
            says,
            handshake(*([offer] if offer else [])),
            app=((RECEIVE, accept(**entries), UNTIL_DISCONNECT),),
            responses=(expected,),
            calls=(Call(order=(CONNECT, ACCEPTED)),),
            level=Level.SHOULD if name == "date-and-server" else Level.MUST,
        )

    cookies = [(b"set-cookie", b"a=1"), (b"x-other", b"y"), (b"set-cookie", b"b=2")]
    ordered = Response(101, in_order=tuple(cookies))
    chosen = switched(sec_websocket_protocol="b")
    no_choice = switched(sec_websocket_protocol=None)
    one = switched(x_one="1")
    plain: dict[str, Any] = {"subprotocol": None, "headers": []}
    return [
        opened(
            "accept-switches",
            89,
            CONNECTING,
            "the first message is websocket.connect; the 101 comes after websocket.accept",
            handshake(),
            AwaitGate("go"),
            AwaitSilence(),
            Open("go"),
            app=((RECEIVE, GATE, accept(), UNTIL_DISCONNECT),),
            calls=(Call(order=(CONNECT, ACCEPTED)),),
        ),
        opened(
            "accept-unasked",
            89,
            CONNECTING,
            "an application may accept before it receives the connect",
            handshake(),
            app=((accept(), UNTIL_DISCONNECT),),
            calls=(Call(order=(ACCEPTED, CONNECT)),),
            level=CHOICE,
        ),
        accepts("subprotocol", "the chosen one of several", chosen, OFFER, subprotocol="b"),
        accepts("subprotocol-none", "none chosen", no_choice, OFFER, subprotocol=None),
        accepts("subprotocol-absent", "none chosen", no_choice, OFFER),
        accepts("none", "entries that say nothing", no_choice, b"", **plain),
        accepts("unknown-entry", "an entry that nobody knows", no_choice, b"", other=1),
        accepts("header", "a header", one, b"", headers=[(b"x-one", b"1")]),
        accepts("header-list", "pairs may be lists", one, b"", headers=[[b"x-one", b"1"]]),
        accepts("headers", "headers in their order, none joined", ordered, b"", headers=cookies),
        accepts(
            "headers-generator",
            "headers from any iterable",
            ordered,
            b"",
            headers=special("generator", cookies),
        ),
        accepts(
            "subprotocol-and-header",
            "both",
            switched(sec_websocket_protocol="c", x_one="1"),
            OFFER,
            subprotocol="c",
            headers=[(b"x-one", b"1")],
        ),
        accepts(
            "date-and-server",
            "the application's Date and Server are the only ones",
            switched(date="Thu, 01 Jan 1970 00:00:00 GMT", server="mine"),
            b"",
            headers=[(b"date", b"Thu, 01 Jan 1970 00:00:00 GMT"), (b"server", b"mine")],
        ),
    ]


def _refused() -> list[Case]:
    """Write messages that must raise; the handshake then goes on as if they had never been."""

    def refuses(
        name: str, number: int, clause: str, says: str, sent: dict[str, Any], **more: Any
    ) -> Case:
        good = switched(x_bad=None, sec_websocket_protocol=None)
        raised = refused(str(sent.get("type")))
        # What must not be sent is not sent: how, and what becomes of the handshake, is open.
        asked = more.get("level", Level.MUST) is Level.MUST
        calls = None if asked else (Call(order=(CONNECT, raised)),)
        unsent = case("", number, clause, "", fate=Fate.ANY, frames=None, calls=calls)
        answers = ((), (error(500, 400, 403),), *(((good,),) if asked else ()))
        more["or_else"] = tuple(replace(unsent, responses=answer) for answer in answers)
        return opened(
            f"refused-{name}",
            number,
            clause,
            says,
            handshake(OFFER),
            app=((RECEIVE, try_send(sent), accept(), UNTIL_DISCONNECT),),
            responses=(good,),
            calls=(Call(order=(CONNECT, raised, ACCEPTED)),),
            **more,
        )

    def accepting(**entries: Any) -> dict[str, Any]:
        return {"type": "websocket.accept", **entries}

    headers: dict[str, tuple[str, Any]] = {
        "value-crlf": ("CR LF in a value", [(b"x-bad", b"a\r\nx-bad: b")]),
        "value-lf": ("LF in a value", [(b"x-bad", b"a\nb")]),
        "value-cr": ("CR in a value", [(b"x-bad", b"a\rb")]),
        "value-nul": ("NUL in a value", [(b"x-bad", b"a\0b")]),
        "name-crlf": ("CR LF in a name", [(b"x-bad: a\r\nx-bad", b"b")]),
        "name-space": ("a space in a name", [(b"x bad", b"a")]),
        "name-colon": ("a colon in a name", [(b"x-bad:", b"a")]),
        "name-empty": ("an empty name", [(b"", b"a")]),
    }
    types: dict[str, tuple[str, Any]] = {
        "name-str": ("a name that is a str", [("x-bad", b"a")]),
        "value-str": ("a value that is a str", [(b"x-bad", "a")]),
        "value-int": ("a value that is an int", [(b"x-bad", 1)]),
        "one": ("a header that is no pair", [(b"x-bad",)]),
        "three": ("a header of three", [(b"x-bad", b"a", b"b")]),
    }
    own = (b"sec-websocket-accept", b"sec-websocket-extensions", b"sec-websocket-version")
    should = Level.SHOULD
    return [
        refuses("not-offered", 91, RESPONSE, "not offered", accepting(subprotocol="d")),
        refuses("list", 91, RESPONSE, "two of them", accepting(subprotocol="a, b")),
        refuses("other-case", 91, RESPONSE, "in another case", accepting(subprotocol="A")),
        refuses("crlf", 91, RESPONSE, "with CR LF", accepting(subprotocol="a\r\nX-Bad: 1")),
        refuses("bytes", 91, ERRORS, "in bytes", accepting(subprotocol=b"a"), level=should),
        refuses("int", 91, ERRORS, "a number", accepting(subprotocol=1), level=should),
        refuses(
            "protocol-header",
            90,
            ACCEPTING,
            "sec-websocket-protocol is no header of the application's",
            accepting(headers=[(b"sec-websocket-protocol", b"a")]),
            level=Level.CHOICE,
        ),
        refuses(
            "protocol-header-case",
            90,
            ACCEPTING,
            "in any case",
            accepting(headers=[(b"Sec-WebSocket-Protocol", b"a")]),
            level=CHOICE,
        ),
        *(
            refuses(
                name.decode().removeprefix("sec-websocket-") + "-header",
                90,
                RESPONSE,
                f"{name.decode()} is the server's",
                accepting(headers=[(name, b"x")]),
                level=CHOICE,
            )
            for name in own
        ),
        *(
            refuses(f"header-{name}", 41, "RFC 9110 section 5.5", says, accepting(headers=lines))
            for name, (says, lines) in headers.items()
        ),
        *(
            refuses(f"header-{name}", 42, ERRORS, says, accepting(headers=lines), level=should)
            for name, (says, lines) in types.items()
        ),
        refuses("send", 95, ERRORS, "a message before the accept", say("a"), level=should),
        refuses("unknown", 95, ERRORS, "an unknown type", {"type": "websocket.x"}, level=should),
        refuses("no-type", 95, ERRORS, "no type", {"headers": []}, level=should),
        refuses("http", 95, ERRORS, "a type of HTTP", start(), level=should),
        refuses("denial-body", 95, ERRORS, "a body first", denial_body(b"x"), level=should),
        refuses("denial-101", 93, DENIAL, "no denial is a 101", denial(101), level=CHOICE),
        refuses("denial-99", 93, DENIAL, "nor a 99", denial(99), level=should),
        refuses("denial-str", 93, DENIAL, "nor a str", denial("403"), level=should),
        refuses(
            "denial-crlf",
            93,
            "RFC 9110 section 5.5",
            "CR LF in a header of a denial",
            denial(403, [(b"x-bad", b"a\r\nb: c")]),
            needs=NEEDS_DENIAL,
        ),
        opened(
            "refused-second-accept",
            95,
            ERRORS,
            "a second accept raises, and the connection stays",
            handshake(),
            app=((RECEIVE, accept(), try_send(accepting()), UNTIL_DISCONNECT),),
            calls=(Call(order=(CONNECT, ACCEPTED, refused("websocket.accept"))),),
            level=should,
        ),
        opened(
            "refused-denial-after-accept",
            95,
            ERRORS,
            "so does a denial after it",
            handshake(),
            app=((RECEIVE, accept(), try_send(denial(403)), UNTIL_DISCONNECT),),
            calls=(Call(order=(CONNECT, ACCEPTED, refused("websocket.http.response.start"))),),
            level=should,
        ),
    ]


def denial(status: Any, headers: Any = ()) -> dict[str, Any]:
    """Write the beginning of a denial response."""
    return {"type": "websocket.http.response.start", "status": status, "headers": headers}


def denial_body(data: bytes = b"", more: bool | None = None) -> dict[str, Any]:
    """Write a piece of its content; `more_body` is absent when None."""
    message: dict[str, Any] = {"type": "websocket.http.response.body", "body": data}
    return message if more is None else {**message, "more_body": more}


NEEDS_DENIAL = "websocket.http.response"
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


def _not_accepted() -> list[Case]:
    def rejects(name: str, number: int, says: str, *script: Any, **more: Any) -> Case:
        clause = more.pop("clause", CLOSING)
        more.setdefault("responses", (error(403),))
        more.setdefault("fate", Fate.REFUSED)
        return case(name, number, clause, says, handshake(), app=(script,), **more)

    closing = try_send(end())
    return [
        rejects(
            "close-first",
            92,
            "a close instead of the accept is a 403, and receive() gives disconnect",
            RECEIVE,
            send(end()),
            RECEIVE,
            calls=(Call(trace=(CONNECT, CLOSE_SENT, disconnect(1006, ours=True), RETURNED)),),
        ),
        rejects(
            "close-first-code",
            92,
            "its code and reason go nowhere",
            RECEIVE,
            send(end(4001, "go away")),
            calls=(Call(trace=(CONNECT, CLOSE_SENT, RETURNED)),),
        ),
        rejects("close-unasked", 92, "even before receive()", send(end()), level=CHOICE),
        rejects(
            "close-then-accept",
            92,
            "after it the connection cannot be accepted",
            RECEIVE,
            send(end()),
            try_send({"type": "websocket.accept"}),
            calls=(Call(order=(CLOSE_SENT, refused("websocket.accept"), RETURNED)),),
            level=Level.CHOICE,
        ),
        rejects(
            "close-then-send",
            92,
            "and nothing sent",
            RECEIVE,
            send(end()),
            try_send(say("late")),
            calls=(Call(order=(CLOSE_SENT, refused("websocket.send"), RETURNED)),),
            level=Level.SHOULD,
        ),
        rejects(
            "return-first",
            94,
            "an application that returns first",
            RECEIVE,
            clause=SCOPE,
            responses=(error(500, 403),),
            level=Level.SHOULD,
        ),
        rejects(
            "return-unasked",
            94,
            "and one that never receives",
            clause=SCOPE,
            responses=(error(500, 403),),
            level=Level.SHOULD,
        ),
        rejects(
            "raise-first",
            94,
            "an application that raises first: 500, and nothing of the exception",
            RECEIVE,
            ("raise", "ValueError"),
            clause=ERRORS,
            responses=(error(500, 403, raw_lacks=(b"hunter2",)),),
            log_has=(r"ValueError: raised by the script",),
            level=Level.SHOULD,
        ),
        rejects(
            "raise-after-refused-close",
            94,
            "also after a close that raised",
            RECEIVE,
            try_send({"type": "websocket.close", "code": "x"}),
            ("raise", "OSError"),
            clause=ERRORS,
            responses=(error(500, 403),),
            level=CHOICE,
        ),
        rejects("close-tried", 92, "with nobody else asked", RECEIVE, closing, calls=(Call(),)),
    ]


def _early() -> list[Case]:
    """Write what a client sends or does before it has its 101."""

    def early(name: str, number: int, says: str, *steps: bytes | Step, **more: Any) -> Case:
        more.setdefault("level", CHOICE)
        more.setdefault("app", ((RECEIVE, GATE, accept(), ("echo_messages",)),))
        clause = more.pop("clause", "RFC 6455 section 4.1")
        return case(f"early-{name}", number, clause, says, *steps, **more)

    def gone(name: str, says: str, leave: Step, *script: Any, seen: tuple[Seen, ...]) -> Case:
        return early(
            f"gone-{name}",
            103,
            says,
            handshake(),
            ARRIVED,
            leave,
            app=((RECEIVE, RECEIVE, *script),),
            calls=(Call(order=(CONNECT, disconnect(1006, ours=True), *seen, RETURNED)),),
            fate=Fate.ANY,
            clause=DISCONNECTED,
            level=Level.MUST if not script else CHOICE,
        )

    late_accept = refused("websocket.accept", "OSError")
    flood = binary(bytes(65_536)) * 512
    return [
        early(
            "same-segment",
            109,
            "a message in the segment of the handshake is not lost",
            handshake() + text("early"),
            AwaitFrame("text"),
            close(1000),
            app=(ECHO,),
            responses=(switched(),),
            frames=(got("early"), closed(1000)),
            calls=(Call(order=(CONNECT, ACCEPTED, message("early"), SENT)),),
        ),
        early(
            "same-segment-many",
            109,
            "nor are several, and half a frame",
            handshake() + text("one") + ping(b"p") + binary(b"two") + text("three")[:5],
            AwaitFrame("binary"),
            text("three")[5:],
            AwaitFrame("text", 2),
            close(1000),
            app=(ECHO,),
            responses=(switched(),),
            frames=(got("one"), got(b"two"), got("three"), ponged(b"p"), closed(1000)),
        ),
        early(
            "held",
            109,
            "what comes before the accept is held until then",
            handshake(),
            AwaitGate("go"),
            text("early"),
            AwaitSilence(),
            Open("go"),
            AwaitFrame("text"),
            close(1000),
            responses=(switched(),),
            frames=(got("early"), closed(1000)),
            calls=(Call(order=(CONNECT, ACCEPTED, message("early"), SENT)),),
        ),
        early(
            "held-close",
            109,
            "a close frame, too",
            handshake() + close(3000, "early"),
            AwaitGate("go"),
            Open("go"),
            responses=(switched(),),
            frames=(closed(3000),),
            calls=(Call(order=(CONNECT, ACCEPTED, disconnect(3000, "early"), RETURNED)),),
        ),
        early(
            "held-refused",
            109,
            "a refused handshake is answered, whatever has come",
            handshake() + text("early"),
            AwaitGate("go"),
            Open("go"),
            app=((RECEIVE, GATE, send(end())),),
            responses=(error(403),),
        ),
        early(
            "bounded",
            109,
            "what is held is bounded: the server stops reading",
            handshake(),
            AwaitGate("go"),
            Fill(flood, at_most=16_777_216),
            Reset(),
            Open("go"),
            app=((RECEIVE, GATE, RECEIVE),),
            fate=Fate.ANY,
            own_process=True,
            splittable=False,
        ),
        gone("close", "a client that closes", Close(), seen=()),
        gone("reset", "and one that resets", Reset(), seen=()),
        gone(
            "accept",
            "an accept then raises an OSError",
            Close(),
            try_send({"type": "websocket.accept"}),
            seen=(late_accept,),
        ),
        gone("receive", "receive() repeats it", Close(), RECEIVE, seen=(disconnect(1006),)),
    ]


CASES = (*_accepted(), *_refused(), *_denied(), *_not_accepted(), *_early())
