"""Limits on what a request may hold, and on the time that it may take."""

from __future__ import annotations

from tests.conformance.cases.limits_and_timeouts import concurrency, limits, timeouts

CASES = (*limits.CASES, *timeouts.CASES, *concurrency.CASES)
