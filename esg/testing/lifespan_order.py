"""Which lifespan message may follow which, on both sides; the table is `rules.lifespan`'s."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from esg.errors import MessageError
from esg.rules import lifespan as table
from esg.testing.message_forms import SENT
from esg.testing.violation import LIFESPAN, Forbidden


class LifespanOrder:
    """Follow one run of an application's lifespan.

    Args:
        scope: of the lifespan.

    Attributes:
        state: the namespace that requests get copies of, if the server supports that.
    """

    is_complete: bool = False

    def __init__(self, scope: Mapping[str, Any]) -> None:
        self._table = table.LifespanTable(required=False)
        self.state = scope.get("state")

    def client_left(self) -> None:
        """Take note of a send() that failed: a lifespan has no client."""

    def sent(self, message_type: str, message: Mapping[str, Any]) -> None:
        """Follow a well-formed message of the application.

        Raises:
            Forbidden: it is out of order.
        """
        try:
            self._table.send(message)
        except MessageError:
            clause = SENT[message_type].clause
            raise Forbidden(f"sent {message_type} {self._shown()}", clause) from None

    def _shown(self) -> str:
        return {
            table.IDLE: "before lifespan.startup was received",
            table.STARTING: "where the end of the start-up is due",
            table.STARTED: "before lifespan.shutdown was received",
            table.STOPPING: "where the end of the shutdown is due",
        }.get(self._table.state, "after its lifespan was over")

    def received(self, message_type: str, _message: Mapping[str, Any], _was_complete: bool) -> None:
        """Follow a well-formed message of the server.

        Raises:
            Forbidden: it is out of order.
        """
        if message_type == "lifespan.startup" and self._table.state == table.IDLE:
            self._table.startup_taken()
        elif message_type == "lifespan.shutdown" and self._table.state == table.STARTED:
            self._table.shutdown_taken()
        else:
            raise Forbidden(f"delivered {message_type} {self._shown()}", f'{LIFESPAN}, "Scope"')

    def request_begins(self, state: object) -> None:
        """Check that a request or a WebSocket may begin now.

        Args:
            state: of its scope.

        Raises:
            Forbidden: it comes too early, too late, or shares what must be copied.
        """
        if self._table.state in (table.IDLE, table.STARTING):
            raise Forbidden(
                "called the application before lifespan.startup.complete",
                f'{LIFESPAN}, "Startup Complete"',
            )
        if self._table.state == table.FAILED:
            raise Forbidden(
                "called the application after lifespan.startup.failed",
                f'{LIFESPAN}, "Startup Failed"',
            )
        if self._table.state in (table.STOPPING, table.STOPPED):
            raise Forbidden(
                "called the application after lifespan.shutdown", f'{LIFESPAN}, "Shutdown"'
            )
        if state is not None and state is self.state:
            raise Forbidden(
                "gave a request the lifespan's state itself instead of a copy",
                f'{LIFESPAN}, "Lifespan State"',
            )

    def returned(self) -> None:
        """Check that an application that returns has done its part.

        Raises:
            Forbidden: the server still waits for its answer.
        """
        if self._table.state in (table.STARTING, table.STOPPING):
            raise Forbidden(f"returned {self._shown()}", f'{LIFESPAN}, "Scope"')
