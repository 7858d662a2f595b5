"""Whether a connection lives on: keep-alive, close, pipelining, half-close, upgrade."""

from __future__ import annotations

from tests.conformance.cases.persistence import half_close, pipelining, reuse, upgrade

CASES = (*reuse.CASES, *pipelining.CASES, *half_close.CASES, *upgrade.CASES)
