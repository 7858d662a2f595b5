"""Sessions under way: flow control, pings, bounds, isolation, other codecs, and the server's stop."""

from __future__ import annotations

from tests.conformance.cases.websocket_operation import bounds, isolation, stops

CASES = (*bounds.CASES, *isolation.CASES, *stops.CASES)
