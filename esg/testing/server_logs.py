"""What one server in a thread logs, kept for its test."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from esg.logs import logger

_FORMAT: Final = logging.Formatter("%(levelname)s: %(message)s")


class ServerLogs(logging.Handler):
    """Keep what the loggers `esg` and `esg.access` are told in one thread.

    Iterate over it for the texts so far: `LEVEL: message`, with tracebacks.

    Args:
        thread: whose records to keep; other servers may run beside.
    """

    def __init__(self, thread: threading.Thread) -> None:
        super().__init__()
        self.setFormatter(_FORMAT)
        self._of = thread
        self._texts: list[str] = []
        self._changed = threading.Condition()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record of the server's thread."""
        if record.thread != self._of.ident:
            return
        text = self.format(record)
        with self._changed:
            self._texts.append(text)
            self._changed.notify_all()

    def __iter__(self) -> Iterator[str]:
        with self._changed:
            return iter(tuple(self._texts))

    def __len__(self) -> int:
        with self._changed:
            return len(self._texts)

    @property
    def text(self) -> str:
        """Everything so far as one string."""
        return "\n".join(self)

    def wait_for(self, pattern: str, timeout: float = 10.0) -> str:
        """Wait until something is logged, and return it.

        A client may have its response before the server has logged it.

        Args:
            pattern: a regular expression that is searched in each text.
            timeout: seconds to wait at most.

        Raises:
            AssertionError: it is not logged in time.
        """
        deadline = time.monotonic() + timeout
        seen = 0
        with self._changed:
            while True:
                for text in self._texts[seen:]:
                    if re.search(pattern, text):
                        return text
                seen = len(self._texts)
                if not self._changed.wait(deadline - time.monotonic()):
                    shown = "\n".join(self._texts) or "(nothing)"
                    raise AssertionError(f"not logged in {timeout:g} s: {pattern!r}, but\n{shown}")

    @contextmanager
    def attached(self, level: int) -> Iterator[None]:
        """Listen to the loggers while the block runs.

        Args:
            level: the least severe level that the server is to log meanwhile.
        """
        _levels.lower(level)
        logger.addHandler(self)
        try:
            yield
        finally:
            logger.removeHandler(self)
            _levels.restore(level)


class _Levels:
    """Keep the logger's level as low as the servers that run at the same time need it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted: list[int] = []
        self._before = logging.NOTSET

    def lower(self, level: int) -> None:
        with self._lock:
            if not self._wanted:
                self._before = logger.level
            self._wanted.append(level)
            logger.setLevel(min(self._wanted))

    def restore(self, level: int) -> None:
        with self._lock:
            self._wanted.remove(level)
            logger.setLevel(min(self._wanted, default=self._before))


_levels: Final = _Levels()
