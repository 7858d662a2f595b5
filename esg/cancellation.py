"""Tell a cancellation from outside from what an application does to itself."""

from __future__ import annotations

import anyio


def is_cancelled() -> bool:
    """Tell whether this task is being cancelled from outside, on any backend.

    An application may raise CancelledError or cancel its own task: that is its own affair, and
    must not be taken for the wish that the server ends.
    """
    return anyio.current_effective_deadline() == float("-inf")
