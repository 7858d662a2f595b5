"""How long an application may run for one request, and for how long without its client.

Must not know tasks: a driver asks `expired` in its sweep, and cancels.
"""

from __future__ import annotations

from typing import Final

NONE: Final = 0
TOO_LONG: Final = 1  # the client is answered 503, or sees its response cut off
CLIENT_LEFT: Final = 2  # nobody is left to be answered
GOES_ON: Final = 3  # though it was cancelled, which no thread can be: it is answered for

_NEVER: Final = float("inf")


class RunningTime:
    """Follow one request while its application runs.

    Args:
        limit: seconds that it may take, 0 for any time.
        grace: seconds that it may go on once its client has left, below 0 for any time.
        now: the time at its start, in seconds of any monotonic clock.
    """

    __slots__ = ("_cancelled", "_client_left", "_ends", "_grace", "_grace_ends")

    def __init__(self, limit: float, grace: float, now: float) -> None:
        self._ends = now + limit if limit else _NEVER
        self._grace = grace
        self._grace_ends = _NEVER
        self._client_left = False
        self._cancelled = False

    def expired(self, now: float, client_left: bool) -> int:
        """Return why the application is to be cancelled, NONE if it is not.

        Where it still runs when this is asked again, that is GOES_ON.
        """
        if self._cancelled:
            return GOES_ON
        if client_left and not self._client_left and self._grace >= 0:
            self._client_left = True
            self._grace_ends = now + self._grace
        self._cancelled = now >= self._grace_ends or now >= self._ends
        if now >= self._grace_ends:
            return CLIENT_LEFT
        return TOO_LONG if now >= self._ends else NONE
