"""A logging handler that does not wait for whoever reads its lines.

A pipe that is full, or a terminal that has been halted, would hold up the event loop for as long as
that lasts. So a line is written at once only where the system takes it at once; otherwise a thread
writes it, and those behind it, when it can. What waits is bounded: beyond that, lines are dropped,
and counted.
"""

from __future__ import annotations

import logging
import os
import select
import stat
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, TextIO

# Where poll() says that a pipe can be written to, it takes this much without a wait (POSIX).
_PIPE_BUF: Final = getattr(select, "PIPE_BUF", 512)
_MOST_BEHIND: Final = 2**20  # bytes of lines that wait
_LAST_CHANCE: Final = 1.0  # seconds that the end of the process waits for them


class LineHandler(logging.StreamHandler[TextIO]):
    """Write records to a stream that may be slow, or go away.

    Args:
        stream: where to. Without a descriptor of its own it is written to as it is.
        prefix: what stands in front of messages that never were records.

    Attributes:
        is_direct: `write_messages` may be used: the stream has a descriptor.
    """

    def __init__(self, stream: TextIO, prefix: str = "") -> None:
        super().__init__(stream)
        self.prefix = prefix
        self._number = _descriptor_of(stream)
        self.is_direct = self._number >= 0 and hasattr(select, "poll")
        self._ready = _ready_for_more(self._number) if self.is_direct else bool
        self._is_file = self._number >= 0 and stat.S_ISREG(os.fstat(self._number).st_mode)
        self._lines: deque[bytes] = deque()
        self._size = 0  # of them, with the one that the thread is writing
        self._dropped = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or leave it to the thread."""
        if not self.is_direct:
            super().emit(record)
            return
        try:
            self._write(self.format(record) + self.terminator)
        except Exception:  # noqa: BLE001 - logging's own way
            self.handleError(record)

    def write_messages(self, messages: Iterable[str]) -> None:
        """Write a line for each of some messages that never were records."""
        between = self.terminator + self.prefix
        self.acquire()
        try:
            self._write(self.prefix + between.join(messages) + self.terminator)
        except Exception:  # noqa: BLE001 - as of records
            self.handleError(logging.makeLogRecord({"msg": "a line without a record"}))
        finally:
            self.release()

    def _write(self, text: str) -> None:
        lines = text.encode("utf-8", "backslashreplace")
        if not self._size:
            self.flush()  # what others have written to the stream comes first
        while lines and not self._size and (self._is_file or self._ready(0)):
            lines = lines[os.write(self._number, self._first_part(lines)) :]
        if lines:
            self._leave(lines)

    def _first_part(self, lines: bytes) -> bytes:
        """Return as much of lines as is written at a time.

        A file takes all of it, a pipe whole lines where they fit: else those of several processes
        would mix.
        """
        if self._is_file or len(lines) <= _PIPE_BUF:
            return lines
        return lines[: lines.rfind(b"\n", 0, _PIPE_BUF) + 1 or _PIPE_BUF]

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Drop a line that cannot be written; from a reader who has gone, drop them all."""
        error = sys.exc_info()[1]
        if isinstance(error, BrokenPipeError):
            self._discard_all()
        elif not isinstance(error, OSError):  # such as a full disk, which may have room again
            super().handleError(record)

    def close(self) -> None:
        """Give the lines that wait a last chance."""
        with self._changed:
            self._changed.wait_for(lambda: not self._size, _LAST_CHANCE)
        super().close()

    def _leave(self, line: bytes) -> None:
        with self._changed:
            if self._size and self._size + len(line) > _MOST_BEHIND:
                self._dropped += 1
                return
            self._lines.append(line)
            self._size += len(line)
            if self._thread is None or not self._thread.is_alive():  # a fork leaves it behind
                self._thread = threading.Thread(target=self._catch_up, name="esg log", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def _catch_up(self) -> None:
        while True:
            with self._changed:
                while not self._lines:
                    self._changed.wait()
                line = self._lines.popleft()
            self._write_patiently(line)
            with self._changed:
                self._size -= len(line)
                if not self._size and self._dropped:
                    dropped = f"{self._dropped} lines of the log were dropped: nobody read them\n"
                    self._dropped = 0
                    self._lines.append(dropped.encode())
                    self._size += len(dropped)
                self._changed.notify_all()

    def _write_patiently(self, line: bytes) -> None:
        try:
            while line:
                line = line[os.write(self._number, line) :]
        except BrokenPipeError:
            self._discard_all()
        except OSError:
            pass

    def _discard_all(self) -> None:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - os.devnull is no path here
            os.dup2(nowhere.fileno(), self.stream.fileno())


def _descriptor_of(stream: TextIO) -> int:
    """Return the descriptor of a stream, -1 without one."""
    try:
        return stream.fileno()
    except (OSError, AttributeError, ValueError):
        return -1


def _ready_for_more(number: int) -> Callable[[int], object]:
    """Return what tells whether a descriptor takes more at once."""
    poll = select.poll()
    poll.register(number, select.POLLOUT)
    return poll.poll
