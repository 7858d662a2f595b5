"""One record format for both drivers: responses, and requests that were rejected."""

from __future__ import annotations

import fnmatch
import logging
import re
import time
from collections.abc import Iterable
from typing import Final, Protocol

from esg.access_format import DEFAULT, AccessEntry, Fields, compile_format, escaped
from esg.logs import access_logger, logger
from esg.rules.request_head import RequestHead
from esg.rules.scope import Address

_LINE: Final = '%s - "%s %s HTTP/%s" %d'


def shown_address(client: Address) -> str:
    """Return a peer's address as logs show it.

    The name that a UNIX socket's peer may have is its own choice, line ends included: not shown.
    """
    if client is None or client[1] is None:
        return "unix"
    host, port = client
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Answered(Protocol):
    """What the log asks of an exchange whose response is over."""

    status: int
    sent: int


class AccessLog:
    """Log responses.

    Args:
        line_format: what a line says: see `access_format`.
        exclude: patterns of paths that are not logged; * stands for anything.
        with_fields: give each record its fields, for handlers that look at them.

    Attributes:
        detailed: `log` is to be told everything.
    """

    def __init__(
        self, line_format: str = DEFAULT, exclude: Iterable[str] = (), with_fields: bool = False
    ) -> None:
        self._render = compile_format(line_format)
        self._excluded = re.compile("|".join(map(fnmatch.translate, exclude)) or "(?!)")
        self.detailed = with_fields or line_format != DEFAULT

    def log(
        self,
        client: Address,
        head: RequestHead,
        response: Answered,
        headers: Fields = (),
        began: float = 0.0,
    ) -> None:
        """Log a response.

        Args:
            client: the peer.
            head: of the request.
            response: its status, and how much content it had.
            headers: those the application gave; only needed where the log is `detailed`.
            began: when the head was read, by `time.perf_counter`; needed likewise.
        """
        if not access_logger.isEnabledFor(logging.INFO) or self._excludes(head):
            return
        if self.detailed:
            entry = _entry(client, head, response, headers, time.perf_counter() - began)
            access_logger.info("%s", self._render(entry), extra=entry.fields())
            return
        access_logger.info(
            _LINE,
            shown_address(client),
            head.method,
            escaped(_target(head)),
            head.http_version,
            response.status,
        )

    def _excludes(self, head: RequestHead) -> bool:
        return self._excluded.match(head.raw_path.decode("ascii")) is not None


def _entry(
    client: Address, head: RequestHead, response: Answered, headers: Fields, duration: float
) -> AccessEntry:
    return AccessEntry(
        host="unix" if client is None or client[1] is None else client[0],
        peer=shown_address(client),
        method=head.method,
        target=_target(head),
        http_version=head.http_version,
        request_headers=head.headers,
        status=response.status,
        response_headers=headers,
        size=response.sent,
        duration=duration,
        ended=time.time(),
    )


def _target(head: RequestHead) -> bytes:
    return head.raw_path + (b"?" + head.query if head.query else b"")


class RejectionLog:
    """Log what is rejected, a bounded number of lines a second: clients cause them at will."""

    LINES_PER_SECOND: Final = 50

    def __init__(self) -> None:
        self._second = 0
        self._lines = 0

    def log(self, client: Address, status: int, reason: str) -> None:
        """Log one rejection: peer, status, what was wrong."""
        if self._has_room():
            logger.warning("%s - rejected with %d: %s", shown_address(client), status, reason)

    def log_handshake(self, client: Address, reason: str) -> None:
        """Log that TLS did not come about: peer, what was wrong."""
        if self._has_room():
            logger.warning("%s - TLS handshake failed: %s", shown_address(client), reason)

    def log_proxy_header(self, peer: Address, reason: str) -> None:
        """Log a connection that was closed for its PROXY protocol header: peer, what was wrong."""
        if self._has_room():
            logger.warning("%s - no PROXY protocol header: %s", shown_address(peer), reason)

    def _has_room(self) -> bool:
        second = int(time.monotonic())
        if second != self._second:
            self._tell_suppressed()
            self._second = second
            self._lines = 0
        self._lines += 1
        return self._lines <= self.LINES_PER_SECOND

    def _tell_suppressed(self) -> None:
        suppressed = self._lines - self.LINES_PER_SECOND
        if suppressed > 0:
            logger.warning("%d more requests were rejected within one second", suppressed)
