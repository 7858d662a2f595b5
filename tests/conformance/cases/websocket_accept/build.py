"""The clauses of the cases about acceptance, and what they share."""

from __future__ import annotations

from typing import Any

DENIAL = "ASGI extensions, WebSocket Denial Response"
ERRORS = "ASGI 3.0, Error Handling"


def denial(status: Any, headers: Any = ()) -> dict[str, Any]:
    """Write the beginning of a denial response."""
    return {"type": "websocket.http.response.start", "status": status, "headers": headers}


def denial_body(data: bytes = b"", more: bool | None = None) -> dict[str, Any]:
    """Write a piece of its content; `more_body` is absent when None."""
    message: dict[str, Any] = {"type": "websocket.http.response.body", "body": data}
    return message if more is None else {**message, "more_body": more}


NEEDS_DENIAL = "websocket.http.response"
