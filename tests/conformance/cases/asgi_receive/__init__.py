"""What receive() gives, and when (ASGI HTTP 2.5, "Request" and "Disconnect" events)."""

from __future__ import annotations

from tests.conformance.cases.asgi_receive import content, disconnect, expect_continue

CASES = (*content.CASES, *expect_continue.CASES, *disconnect.CASES)
