"""The clauses of the cases about persistence, and what they share."""

from __future__ import annotations

PERSISTENCE = "RFC 9112 section 9.3"
TEAR_DOWN = "RFC 9112 section 9.6"
CLOSE = {"connection": "close"}
