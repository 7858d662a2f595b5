"""Messages that send() refuses, and what the client gets all the same."""

from __future__ import annotations

from typing import Any

from tests.conformance.behaviours import (
    HELLO,
    HELLO_BODY,
    answer,
    body,
    send,
    sized,
    special,
    start,
    try_send,
)
from tests.conformance.cases.asgi_send.build import ERRORS, FIELDS, LENGTH, says
from tests.conformance.cases.build import RETURNED, case, hello, ok, refused
from tests.conformance.model import Call, Case, Fate, Level, Response


def _refusals() -> list[Case]:
    def start_refused(
        name: str, number: int, clause: str, bad: Any, error: str = "Exception", **more: Any
    ) -> Case:
        # That nothing unlawful is written binds every server: see `verdict.unsound`.
        more.setdefault("level", Level.CHOICE)
        return says(
            f"refused-{name}",
            number,
            clause,
            "send() raises, nothing is written, and a sound response may follow",
            (try_send(bad), *HELLO),
            hello(raw_lacks=(b"evil",)),
            calls=(Call(holds=(refused(bad.get("type", "None"), error), RETURNED)),),
            **more,
        )

    def header(name: str, key: Any, value: Any, error: str = "Exception") -> Case:
        return start_refused(f"header-{name}", 41, FIELDS, start(200, [(key, value)]), error)

    names = {
        "space": b"x evil",
        "empty": b"",
        "colon": b":evil",
        "colon-inside": b"x:evil",
        "cr": b"x\revil",
        "lf": b"x\nevil",
        "nul": b"x\x00evil",
        "high-octet": b"evil\xe9",
        "tab": b"x\tevil",
        "parenthesis": b"evil()",
        "crlf": b"x: 1\r\nevil",
    }
    values = {
        "cr": b"1\revil",
        "lf": b"1\nevil",
        "nul": b"1\x00evil",
        "crlf": b"1\r\nevil: 1",
        "control": b"1\x01evil",
        "delete": b"1\x7fevil",
        "trailing-crlf": b"evil\r\n",
        "response-splitting": b"1\r\n\r\n<evil>",
    }
    statuses = {
        "99": 99,
        "0": 0,
        "1000": 1000,
        "negative": -1,
        "string": "200",
        "float": 200.0,
        "none": None,
        "bytes": b"200",
        "100": 100,
        "101": 101,
        "103": 103,
        "199": 199,
    }
    lengths = {
        "letters": b"evil",
        "negative": b"-5",
        "plus": b"+5",
        "list": b"5, 5",
        "empty": b"",
        "fraction": b"5.0",
    }
    # That send() raises is recommended; what becomes of a response that has begun, nobody says.
    raised = (Call(holds=(refused("http.response.body"),)),)
    cut = (Response(200, complete=False, raw_lacks=(b"evil",)),)
    given_up = case("", 36, ERRORS, "", responses=cut, calls=raised, fate=Fate.GONE)
    return [
        *(header(f"name-{name}", key, b"1") for name, key in names.items()),
        *(header(f"value-{name}", b"x-a", value) for name, value in values.items()),
        start_refused("header-str-name", 42, ERRORS, start(200, [("x-evil", b"1")])),
        start_refused("header-str-value", 42, ERRORS, start(200, [(b"x-a", "evil")])),
        start_refused("header-int-value", 42, ERRORS, start(200, [(b"x-evil", 1)])),
        start_refused("header-none", 42, ERRORS, start(200, [(b"x-evil", None)])),
        *(
            start_refused(
                f"status-{name}", 43, "RFC 9110 section 15", start(status), level=Level.CHOICE
            )
            for name, status in statuses.items()
        ),
        *(
            start_refused(
                f"length-{name}",
                45,
                "RFC 9110 section 8.6",
                start(200, [(b"content-length", value)]),
                level=Level.CHOICE,
            )
            for name, value in lengths.items()
        ),
        start_refused(
            "length-twice",
            45,
            "RFC 9110 section 8.6",
            start(200, [LENGTH, LENGTH]),
            level=Level.CHOICE,
        ),
        start_refused("body-first", 37, ERRORS, body(b"evil")),
        start_refused("unknown-type", 39, ERRORS, {"type": "http.response.evil"}),
        start_refused("websocket-type", 39, ERRORS, {"type": "websocket.accept"}),
        start_refused("lifespan-type", 39, ERRORS, {"type": "lifespan.startup.complete"}),
        start_refused("no-type", 39, ERRORS, {"status": 200}),
        start_refused("no-status", 39, ERRORS, {"type": "http.response.start"}),
        says(
            "refused-body-str",
            36,
            ERRORS,
            "a str body raises before anything is written",
            (send(start(200, sized(HELLO_BODY))), try_send(body("evil")), send(body(HELLO_BODY))),
            hello(raw_lacks=(b"evil",)),
            calls=raised,
            or_else=(given_up,),
            level=Level.SHOULD,
        ),
        says(
            "refused-body-int",
            36,
            ERRORS,
            "an int body raises, too",
            (send(start(200, sized(HELLO_BODY))), try_send(body(5)), send(body(HELLO_BODY))),
            hello(),
            calls=raised,
            or_else=(given_up,),
            level=Level.SHOULD,
        ),
        says(
            "refused-body-none",
            36,
            ERRORS,
            "so does None",
            (send(start(200, sized(HELLO_BODY))), try_send(body(None)), send(body(HELLO_BODY))),
            hello(),
            calls=raised,
            or_else=(given_up,),
            level=Level.SHOULD,
        ),
        says(
            "refused-second-start",
            38,
            ERRORS,
            "a second start raises; the first one holds",
            (
                send(start(200, sized(HELLO_BODY))),
                try_send(start(500, [(b"x-evil", b"1")])),
                send(body(HELLO_BODY)),
            ),
            hello(raw_lacks=(b"evil",)),
            calls=(Call(holds=(refused("http.response.start"), RETURNED)),),
            level=Level.SHOULD,
        ),
        says(
            "refused-start-in-body",
            38,
            ERRORS,
            "so does a start between body events",
            (
                send(start()),
                send(body(b"one", True)),
                try_send(start(500)),
                send(body(b"two", False)),
            ),
            ok(b"onetwo"),
            calls=(Call(holds=(refused("http.response.start"), RETURNED)),),
            level=Level.SHOULD,
        ),
        says(
            "refused-unknown-in-body",
            39,
            ERRORS,
            "an unknown message between body events",
            (
                send(start()),
                send(body(b"one", True)),
                try_send({"type": "http.response.evil"}),
                send(body(b"two", False)),
            ),
            ok(b"onetwo"),
            calls=(Call(holds=(refused("http.response.evil"), RETURNED)),),
            level=Level.SHOULD,
        ),
        says(
            "status-enum",
            43,
            "RFC 9110 section 15",
            "an IntEnum is an int",
            (send(start(special("HTTPStatus", 202), sized(HELLO_BODY))), send(body(HELLO_BODY))),
            Response(202, body=HELLO_BODY),
            level=Level.CHOICE,
        ),
        *(
            says(
                f"status-{status}",
                44,
                "RFC 9110 section 15",
                "codes without a name are sent",
                answer(status=status),
                Response(status, body=HELLO_BODY),
            )
            for status in (299, 418, 499, 599)
        ),
    ]


CASES = tuple(_refusals())
