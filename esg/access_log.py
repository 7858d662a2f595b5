"""One record format for both drivers: responses, and requests that were rejected."""

from __future__ import annotations

import logging
import time
from typing import Final

from esg.logs import access_logger, logger
from esg.rules.request_head import RequestHead
from esg.rules.scope import Address

_FORMAT: Final = '%s - "%s %s HTTP/%s" %d'


def shown_address(client: Address) -> str:
    """Return a peer's address as logs show it.

    The name that a UNIX socket's peer may have is its own choice, line ends included: not shown.
    """
    if client is None or client[1] is None:
        return "unix"
    host, port = client
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def log_access(client: Address, head: RequestHead, status: int) -> None:
    """Log a response: peer, request line, status.

    The request-target has passed `request_head.judge`: visible ASCII, so it cannot forge a line.
    """
    if not access_logger.isEnabledFor(logging.INFO):
        return
    target = head.raw_path + (b"?" + head.query if head.query else b"")
    access_logger.info(
        _FORMAT,
        shown_address(client),
        head.method,
        target.decode("ascii"),
        head.http_version,
        status,
    )


class RejectionLog:
    """Log rejected requests, a bounded number of lines a second: clients cause them at will."""

    LINES_PER_SECOND: Final = 50

    def __init__(self) -> None:
        self._second = 0
        self._lines = 0

    def log(self, client: Address, status: int, reason: str) -> None:
        """Log one rejection: peer, status, what was wrong."""
        second = int(time.monotonic())
        if second != self._second:
            self._tell_suppressed()
            self._second = second
            self._lines = 0
        self._lines += 1
        if self._lines <= self.LINES_PER_SECOND:
            logger.warning("%s - rejected with %d: %s", shown_address(client), status, reason)

    def _tell_suppressed(self) -> None:
        suppressed = self._lines - self.LINES_PER_SECOND
        if suppressed > 0:
            logger.warning("%d more requests were rejected within one second", suppressed)
