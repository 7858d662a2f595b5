"""Which of several processes accepts the next connection, and what each tells the others.

They share one listener and a page of memory. In it each writes how many connections it has open,
and accepts only while these are not more than an eighth above the mean: so load is even to a
connection where there are few, and whoever has least is always let in. A process that leaves
connections waiting though it is its turn (it is blocked, or halted) does not count until it comes
back; the others wait for it once, not at every connection.

Every number has one writer, but for the flag `taking`, where a lost write costs one connection's
place. Must not know loops; the time is said by the caller.
"""

from __future__ import annotations

import mmap
import os
import sys
from typing import Final

SLOTS: Final = 1024
# The header says how many slots are looked at.
_HEADER: Final = 8
_SIZE: Final = _HEADER + SLOTS * (4 + 4 + 8 + 8)
# Before a process asks again whether it is its turn.
PAUSE: Final = 0.002  # seconds
# So often it asks while nobody accepts what is waiting, before it goes on without the others.
_PATIENCE: Final = 100
# Two questions that lie further apart are not about the same waiting connection.
_SAME_WAIT: Final = 1.0  # seconds


class WorkerPage:
    """Hold the numbers of all processes.

    Args:
        descriptor: of the memory, from the process that made it; None to make it.

    Attributes:
        descriptor: for the processes that are to share it.
    """

    def __init__(self, descriptor: int | None = None) -> None:
        self.descriptor = _memory() if descriptor is None else descriptor
        self._map = mmap.mmap(self.descriptor, _SIZE)
        self._view = view = memoryview(self._map)
        at = [_HEADER + SLOTS * offset for offset in (0, 4, 8, 16, 24)]
        self._used = view[:4].cast("i")
        self.taking = view[at[0] : at[1]].cast("i")
        self.connections = view[at[1] : at[2]].cast("i")
        self.accepted = view[at[2] : at[3]].cast("q")
        self.beats = view[at[3] : at[4]].cast("d")

    @property
    def used(self) -> int:
        """How many slots, counted from the first, may be somebody's."""
        return self._used[0]

    def clear(self, slot: int) -> None:
        """Make a slot ready for another process; only who made the page may."""
        self.taking[slot] = self.connections[slot] = self.accepted[slot] = 0
        self.beats[slot] = 0.0
        self._used[0] = max(self.used, slot + 1)

    def close(self) -> None:
        """Let go of the memory."""
        numbers = (self._used, self.taking, self.connections, self.accepted, self.beats)
        for view in (*numbers, self._view):
            view.release()
        self._map.close()
        os.close(self.descriptor)


def _memory() -> int:
    if sys.platform == "linux":
        descriptor = os.memfd_create("esg")
    else:
        import tempfile  # noqa: PLC0415 - brings compression along

        descriptor, path = tempfile.mkstemp(prefix="esg-")
        os.unlink(path)  # noqa: PTH108 - mkstemp gives a string
    os.truncate(descriptor, _SIZE)
    return descriptor


class LoadShare:
    """Be one process's part of the load.

    Args:
        page: what all share.
        slot: the number of this process's place in it.
    """

    def __init__(self, page: WorkerPage, slot: int) -> None:
        self._page = page
        self._slot = slot
        self._asked = 0  # in vain, since somebody has accepted
        self._last_asked = 0.0
        self._seen = 0  # what all had accepted by then

    def join(self) -> None:
        """Be there for connections from now on."""
        self._page.taking[self._slot] = 1

    def set_open(self, connections: int) -> None:
        """Tell how many connections are open."""
        self._page.connections[self._slot] = connections

    def room(self, connections: int, now: float) -> int:
        """Return how many of the waiting connections to accept, 0 to ask again after `PAUSE`.

        Args:
            connections: how many are open here.
            now: the monotonic time.
        """
        self.set_open(connections)
        self.join()
        if not (room := self._fair_room(connections)):
            self._count_wait(now)
            if self._asked >= _PATIENCE:
                self._pass_over_who_is_below()
                room = self._fair_room(connections)
        if room:
            self._asked = 0
        return room

    def accepted(self, connections: int, new: int) -> None:
        """Take note that `new` ones were accepted, and how many are open with them."""
        self._page.accepted[self._slot] += new
        self.set_open(connections)

    def leave(self) -> None:
        """Accept no more, for now or for good: the others share among themselves."""
        self._page.taking[self._slot] = 0

    def beat(self, now: float) -> None:
        """Tell that the event loop runs."""
        self._page.beats[self._slot] = now

    def _fair_room(self, connections: int) -> int:
        return max(0, self._fair_number() + 1 - connections)

    def _fair_number(self) -> int:
        """Return how many connections a process may have that accepts one more."""
        page = self._page
        # Ourselves in any case: another process may be passing over us just now.
        taking = [
            page.connections[i] for i in range(page.used) if page.taking[i] or i == self._slot
        ]
        return sum(taking) * 9 // (len(taking) * 8)

    def _count_wait(self, now: float) -> None:
        seen = sum(self._page.accepted[: self._page.used])
        if seen != self._seen or now - self._last_asked > _SAME_WAIT:
            self._asked = 0
        self._asked += 1
        self._seen = seen
        self._last_asked = now

    def _pass_over_who_is_below(self) -> None:
        page = self._page
        fair = self._fair_number()
        for slot in range(page.used):
            if slot != self._slot and page.connections[slot] <= fair:
                page.taking[slot] = 0
