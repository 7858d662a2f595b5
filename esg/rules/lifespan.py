"""The ASGI lifespan state table.

    state        message or end                      becomes
    IDLE         (startup event taken)               STARTING
    STARTING     lifespan.startup.complete           STARTED
    STARTING     lifespan.startup.failed             FAILED
    IDLE         returns or raises                   UNSUPPORTED, or FAILED where it is required
    STARTING     returns or raises                   BROKEN, or FAILED where it is required
    STARTED      (shutdown event taken)              STOPPING
    STOPPING     lifespan.shutdown.complete/.failed  STOPPED
    STARTED and later   returns or raises            STOPPED

A message that the table does not have raises MessageError and changes nothing.
Must not know tasks or events. Source: ASGI lifespan protocol 2.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from esg.errors import MessageError

IDLE: Final = 0
STARTING: Final = 1
STARTED: Final = 2
STOPPING: Final = 3
STOPPED: Final = 4
UNSUPPORTED: Final = 5  # the application knows no lifespan: serve on
BROKEN: Final = 6  # it knows lifespan but fell over it: serve on, and say so loudly
FAILED: Final = 7  # do not serve


class LifespanTable:
    """Follow one application's lifespan.

    Args:
        required: `--lifespan on`: an application without lifespan must not be served.

    Attributes:
        message: what the application said of a failure.
    """

    __slots__ = ("_required", "message", "state")

    def __init__(self, required: bool) -> None:
        self._required = required
        self.state = IDLE
        self.message = ""

    def startup_taken(self) -> None:
        """Take note that the application received `lifespan.startup`."""
        self.state = STARTING

    def shutdown_taken(self) -> None:
        """Take note that the application received `lifespan.shutdown`."""
        self.state = STOPPING

    def send(self, message: Mapping[str, Any]) -> None:
        """Take a message of the application.

        Raises:
            MessageError: the table does not have it.
        """
        kind = message.get("type")
        if kind == "lifespan.startup.complete" and self.state == STARTING:
            self.state = STARTED
        elif kind == "lifespan.startup.failed" and self.state == STARTING:
            self.state = FAILED
            self.message = str(message.get("message", ""))
        elif kind == "lifespan.shutdown.complete" and self.state == STOPPING:
            self.state = STOPPED
        elif kind == "lifespan.shutdown.failed" and self.state == STOPPING:
            self.state = STOPPED
            self.message = str(message.get("message", "")) or "no message"
        else:
            raise MessageError(f"unexpected lifespan message {kind!r}")

    def ended(self) -> None:
        """Take note that the application returned from the lifespan scope, or raised."""
        if self.state in (IDLE, STARTING) and self._required:
            self.state = FAILED
        elif self.state == IDLE:
            self.state = UNSUPPORTED
        elif self.state == STARTING:
            self.state = BROKEN
        elif self.state in (STARTED, STOPPING):
            self.state = STOPPED
