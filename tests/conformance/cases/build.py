"""Short forms in which the case files are written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.conformance.behaviours import HELLO, HELLO_BODY
from tests.conformance.model import Call, Case, Fate, Level, Response, Seen, Send, Step

HOST = b"Host: example.org\r\n"


def get(
    target: bytes = b"/", *fields: bytes, method: bytes = b"GET", version: bytes = b"1.1"
) -> bytes:
    """Write a request without content: the target, then field lines without CRLF."""
    lines = b"".join(field + b"\r\n" for field in fields)
    return method + b" " + target + b" HTTP/" + version + b"\r\n" + HOST + lines + b"\r\n"


def post(data: bytes, *fields: bytes, target: bytes = b"/", method: bytes = b"POST") -> bytes:
    """Write a request whose content has a Content-Length."""
    length = b"Content-Length: %d" % len(data)
    return get(target, length, *fields, method=method) + data


def post_chunked(coded: bytes, *fields: bytes) -> bytes:
    """Write a request with the chunked coding; `coded` is the content as on the wire."""
    return get(b"/", b"Transfer-Encoding: chunked", *fields, method=b"POST") + coded


def hello(**details: Any) -> Response:
    """Expect the answer of the script HELLO."""
    return Response(200, body=HELLO_BODY, **details)


def ok(body: bytes | None = None, **details: Any) -> Response:
    """Expect a 200."""
    return Response(200, body=body, **details)


def error(status: int, *alternatives: int, **details: Any) -> Response:
    """Expect an answer that the server makes by itself.

    Args:
        status: what ESG answers.
        alternatives: what the clause leaves to other servers.
        details: further fields of the response.
    """
    fields = {
        "content-type": "text/plain; charset=utf-8",
        "connection": "close",
        **details.pop("fields", {}),
    }
    return Response(status, fields, by_server=True, alternatives=alternatives, **details)


def case(
    id: str,
    number: int,
    clause: str,
    says: str,
    *sent: bytes | Step,
    level: Level = Level.MUST,
    **details: Any,
) -> Case:
    """Write a case; octets among the steps are segments to send."""
    steps = tuple(Send(item) if isinstance(item, bytes) else item for item in sent)
    details.setdefault("app", (HELLO,))
    return Case(id, number, level, clause, says, steps, **details)


def rejected(
    id: str,
    number: int,
    clause: str,
    says: str,
    *sent: bytes | Step,
    status: int = 400,
    alternatives: tuple[int, ...] = (),
    **details: Any,
) -> Case:
    """Write a case of a request that the server refuses: the application is not called."""
    details.setdefault("calls", ())
    details.setdefault("fate", Fate.REFUSED)
    return case(
        id, number, clause, says, *sent, responses=(error(status, *alternatives),), **details
    )


def accepted(
    id: str, number: int, clause: str, says: str, *sent: bytes | Step, **details: Any
) -> Case:
    """Write a case of a request that reaches the application; the connection stays usable."""
    details.setdefault("fate", Fate.KEPT)
    details.setdefault("responses", (hello(),))
    details.setdefault("calls", (Call(scope=details.pop("scope", {})),))
    return case(id, number, clause, says, *sent, **details)


def refusable(written: Case, status: int, *alternatives: int) -> Case:
    """Let servers other than ESG refuse the request: what is lawful need not be welcome."""
    refusal = (error(status, *alternatives),)
    return replace(written, or_else=(replace(written, responses=refusal, calls=(), fate=Fate.ANY),))


RETURNED = Seen("end", "returned")
START_SENT = Seen("send", "http.response.start")
BODY_SENT = Seen("send", "http.response.body")
DISCONNECT = Seen("receive", "http.disconnect")


def sent(kind: str) -> Seen:
    """Expect a message that was sent without an exception."""
    return Seen("send", kind)


def received(body: bytes | None = None, more: bool | None = None) -> Seen:
    """Expect the request's content in the trace."""
    return Seen("receive", "http.request", body=body, more=more)


def refused(kind: str, error: str = "Exception") -> Seen:
    """Expect that send() raised on a message of this type."""
    return Seen("refused", kind, error=error)


def mark(text: str) -> Seen:
    """Expect a mark that the script left."""
    return Seen("mark", text)


def ended(error: str) -> Seen:
    """Expect that the application ended with this exception."""
    return Seen("end", error)
