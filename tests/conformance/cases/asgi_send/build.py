"""How the cases about send() are written, and their clauses."""

from __future__ import annotations

from typing import Any

from tests.conformance.cases.build import accepted, get
from tests.conformance.model import Case, HeaderConstraint, Response, Script

START = "ASGI HTTP 2.5, Response Start"
BODY = "ASGI HTTP 2.5, Response Body"
ERRORS = "ASGI 3.0, Error Handling"
FIELDS = "RFC 9110 sections 5.5 and 5.6.2"
CHUNKED: dict[str, HeaderConstraint] = {"transfer-encoding": "chunked", "content-length": None}
LENGTH = (b"content-length", b"5")


def says(
    id: str,
    number: int,
    clause: str,
    words: str,
    app: Script,
    *responses: Response,
    sent: bytes = get(),
    **more: Any,
) -> Case:
    """Write a case of one request, what the application sends, and what comes of it."""
    return accepted(id, number, clause, words, sent, app=(app,), responses=responses, **more)
