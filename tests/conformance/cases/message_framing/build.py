"""How the cases about framing are written, and their clauses."""

from __future__ import annotations

from typing import Any

from tests.conformance.behaviours import READ_AND_ECHO
from tests.conformance.cases.build import DISCONNECT, HOST, accepted, ok, rejected
from tests.conformance.model import Call, Case, Fate, Step

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: example.org\r\n\r\n"


def head(*lines: bytes, version: bytes = b"1.1") -> bytes:
    """Write the head of a POST with these field lines."""
    return (
        b"POST / HTTP/"
        + version
        + b"\r\n"
        + HOST
        + b"".join(line + b"\r\n" for line in lines)
        + b"\r\n"
    )


def unframed(
    id: str, number: int, clause: str, says: str, *sent: bytes | Step, **details: Any
) -> Case:
    """Write a case of framing that is refused, so that the connection cannot go on."""
    details.setdefault("fate", Fate.CLOSED)
    return rejected(id, number, clause, says, *sent, **details)


def echoed(  # noqa: PLR0917 - a case reads as the row of a table
    id: str, number: int, clause: str, says: str, sent: bytes, body: bytes, **details: Any
) -> Case:
    """Write a case of content that the application receives and sends back."""
    return accepted(
        id,
        number,
        clause,
        says,
        sent,
        app=(READ_AND_ECHO,),
        responses=(ok(body),),
        calls=(Call(body=body, lacks=(DISCONNECT,)),),
        **details,
    )
