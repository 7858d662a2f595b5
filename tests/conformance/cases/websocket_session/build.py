"""The clauses of the cases about sessions, and what they share."""

from __future__ import annotations

from tests.conformance.model import Level

DISCONNECTED = "ASGI WebSocket 2.5, Disconnect"
ERRORS = "ASGI 3.0, Error Handling"
SHOULD = Level.SHOULD
