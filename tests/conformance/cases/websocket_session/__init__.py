"""An open session: what the application sends, and how it ends (ASGI WebSocket 2.5)."""

from __future__ import annotations

from tests.conformance.cases.websocket_session import closing, ends, messages

CASES = (*messages.CASES, *closing.CASES, *ends.CASES)
