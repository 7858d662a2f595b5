"""What send() takes, refuses and writes (ASGI HTTP 2.5, "Response Start" and "Body")."""

from __future__ import annotations

from tests.conformance.cases.asgi_send import content, fields, flow, lengths, refusals

CASES = (*content.CASES, *fields.CASES, *refusals.CASES, *lengths.CASES, *flow.CASES)
