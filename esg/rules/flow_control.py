"""Water marks: when to stop reading from a client, and when to go on.

Must not know transports. A driver calls `hold` as bytes arrive and `release` as they leave, and
does to its transport what the answer says.
"""

from __future__ import annotations

from typing import Final

HIGH_WATER: Final = 65536  # bytes held for one connection at which reading pauses
LOW_WATER: Final = 16384  # bytes at which it resumes


class ReadFlow:
    """Decide from the bytes held for one connection whether to read on."""

    __slots__ = ("held", "paused")

    def __init__(self) -> None:
        self.held = 0
        self.paused = False

    def hold(self, size: int) -> bool:
        """Count bytes that came; tell whether reading is to pause now."""
        self.held += size
        if self.paused or self.held < HIGH_WATER:
            return False
        self.paused = True
        return True

    def release(self, size: int) -> bool:
        """Count bytes that were taken; tell whether reading is to resume now."""
        self.held -= size
        if not self.paused or self.held > LOW_WATER:
            return False
        self.paused = False
        return True
