"""What clients of one kind, by the thousand, leave behind in a server."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from tests.client import Connection
from tests.hardening.abuse import Abuse
from tests.hardening.memory import MEBIBYTE
from tests.server import ServerProcess

APP = "tests.apps.held:app"
# The times of those who wait for the server to lose patience; the asker waits far longer.
OPTIONS = (
    *("--no-access-log", "--timeout-headers", "1", "--timeout-body", "1"),
    *("--ws-ping-interval", "1", "--ws-ping-timeout", "1", "--timeout-keep-alive", "3600"),
)
# Seconds for connections that their clients have left; the machine may be busy.
AT_REST = 60.0
# Seconds that they are looked at for before they are taken for what is always there; longer than
# the server's timeouts.
STILL = 2.5
# How many clients of each kind come before that.
WARM = 10
# Caches of Python's own may still grow, by less than one block in ten connections.
_UNEXACT = ("objects", "blocks")
_SLACK = 300
# malloc keeps what a hundred at once have had at their most: 300 KiB each where they compress.
MEMORY = 32 * MEBIBYTE


@dataclass(frozen=True)
class Left:
    """What a server holds more than before.

    Args:
        count: behind how many connections.
        found: objects by type, tasks, timers and descriptors of which there are more.
        objects: how many more there are in all, as the garbage collector counts.
        blocks: how many more blocks Python has allocated.
        memory: how many more bytes are resident.
    """

    count: int
    found: Counter[str]
    objects: int
    blocks: int
    memory: int

    @property
    def nothing(self) -> bool:
        """Whether nothing has been left, but for what Python keeps for itself."""
        few = self.count // 10 + _SLACK
        return not self.found and max(self.objects, self.blocks) < few and self.memory < MEMORY

    def __str__(self) -> str:
        """Write it in one line."""
        rest = f"{self.objects:+} objects, {self.blocks:+} blocks, {self.memory // 1024:+} KiB"
        return f"{self.count} connections: {dict(self.found) or 'none of ours'}, {rest}"


class Watcher:
    """Count what a server holds, over a connection that stays open.

    Args:
        server: it runs `APP` with `OPTIONS`.
        kinds: who comes before the first count.
    """

    def __init__(self, server: ServerProcess, kinds: Collection[Abuse]) -> None:
        self._server = server
        for abuse in kinds:  # what is made once, for all, is there from now on
            abuse.open_many(server.address, WARM)
        self._connection = Connection(server.address)
        self._alone = self._when_still()

    def close(self) -> None:
        """Watch no more."""
        self._connection.close()

    def left_by(self, kinds: Collection[Abuse], count: int, within: float = AT_REST) -> Left:
        """Have a tenth of the clients come for the caches' sake, then the others; count those.

        Args:
            kinds: what they do.
            count: how many there are of each.
            within: seconds that the server has for letting go of them.
        """
        # As many at once as later, or their memory alone would count.
        for abuse in kinds:
            abuse.open_many(self._server.address, max(count // 10, min(abuse.at_once, count)))
        before = self._when_alone(within)
        memory = self._server.memory()
        for abuse in kinds:
            abuse.open_many(self._server.address, count - count // 10)
        after = self._when_alone(within)
        return Left(
            len(kinds) * (count - count // 10),
            _exact(after) - self._alone,
            after["objects"] - before["objects"],
            after["blocks"] - before["blocks"],
            self._server.memory() - memory,
        )

    def _held(self) -> Counter[str]:
        return Counter(json.loads(self._connection.get("/held").body))

    def _when_alone(self, within: float) -> Counter[str]:
        """Return the counts once nothing is left but this connection, or in the end."""
        deadline = time.monotonic() + within
        while _exact(now := self._held()) - self._alone and time.monotonic() < deadline:
            time.sleep(0.05)  # between two looks
        return now

    def _when_still(self) -> Counter[str]:
        """Return the counts once they have not changed for a while."""
        deadline = time.monotonic() + AT_REST
        seen, since = _exact(self._held()), time.monotonic()
        while time.monotonic() < min(since + STILL, deadline):
            time.sleep(0.05)  # between two looks
            if (now := _exact(self._held())) != seen:
                seen, since = now, time.monotonic()
        return seen


def _exact(held: Counter[str]) -> Counter[str]:
    """Leave out what Python itself keeps."""
    return Counter({kind: count for kind, count in held.items() if kind not in _UNEXACT})
