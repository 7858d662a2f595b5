"""Between the handshake and its answer: accept, refuse, deny, or fail (ASGI WebSocket 2.5)."""

from __future__ import annotations

from tests.conformance.cases.websocket_accept import acceptance, denial, no_acceptance

CASES = (*acceptance.CASES, *denial.CASES, *no_acceptance.CASES)
