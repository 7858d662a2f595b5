"""One record format for both drivers: responses, and requests that were rejected."""

from __future__ import annotations

import fnmatch
import logging
import re
import time
from collections.abc import Iterable
from typing import Final, Protocol

from esg.access_format import DEFAULT, AccessEntry, Fields, compile_format
from esg.line_handler import LineHandler
from esg.logs import access_logger, direct_handler, logger
from esg.rules.access_line import access_line, escaped, shown_address
from esg.rules.request_head import RequestHead
from esg.rules.scope import Address

# The arguments are those that formatters made for uvicorn's access log take apart.
_RECORD: Final = '%s - "%s %s HTTP/%s" %d'


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
        holds_lines: `hold` may be asked.
    """

    def __init__(
        self, line_format: str = DEFAULT, exclude: Iterable[str] = (), with_fields: bool = False
    ) -> None:
        self._render = compile_format(line_format)
        patterns = "|".join(map(fnmatch.translate, exclude))
        self._excluded = re.compile(patterns) if patterns else None
        self._is_default = line_format == DEFAULT
        self.detailed = with_fields or not self._is_default
        self.holds_lines = not self.detailed and self._excluded is None
        self._held: list[str] = []
        self._handler: LineHandler | None = None  # of those

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
        self.write_held()
        entry = None
        if self.detailed:
            entry = _entry(client, head, response, headers, time.perf_counter() - began)
        handler = direct_handler()
        if handler is None:
            self._log_record(client, head, response, entry)
        elif entry is None:
            version, status = head.http_version, response.status
            line = access_line(client, head.method, _target(head), version, status)
            handler.write_messages([line])
        else:
            handler.write_messages([self._render(entry)])

    def _log_record(
        self, client: Address, head: RequestHead, response: Answered, entry: AccessEntry | None
    ) -> None:
        """Log a response for those who look at records."""
        message, args = _RECORD, _parts(client, head, response.status)
        if entry is not None and not self._is_default:
            message, args = "%s", (self._render(entry),)
        fields = None if entry is None else entry.fields()
        name, level = access_logger.name, logging.INFO
        # Not by info(), which walks the stack to tell where it was called.
        access_logger.handle(
            access_logger.makeRecord(name, level, __file__, 0, message, args, None, extra=fields)
        )

    def hold(self) -> list[str] | None:
        """Return where lines in the default format may be put until `write_held`.

        None where somebody may look at records: each response is to be logged by `log`.
        """
        self._handler = direct_handler()
        return self._held if self._handler is not None else None

    def write_held(self) -> None:
        """Write the lines that were put there, if any."""
        if self._held and self._handler is not None:
            lines, self._held[:] = self._held[:], ()
            self._handler.write_messages(lines)

    def _excludes(self, head: RequestHead) -> bool:
        excluded = self._excluded
        return excluded is not None and excluded.match(head.raw_path.decode("ascii")) is not None


def _parts(client: Address, head: RequestHead, status: int) -> tuple[object, ...]:
    target = escaped(_target(head))
    return shown_address(client), head.method, target, head.http_version, status


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
