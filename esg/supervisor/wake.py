"""What wakes the supervisor: signals, and changed files, as bytes through one socket."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final

# What a byte means that stands for no signal.
FILES_CHANGED: Final = 0


class Wake:
    """Gather what has happened until somebody looks.

    Attributes:
        receiver: readable when something has happened.
    """

    def __init__(self) -> None:
        self.receiver, self._sender = socket.socketpair()
        self.receiver.setblocking(False)
        self._sender.setblocking(False)

    def files_changed(self) -> None:
        """Take note of changed files; callable from any thread."""
        with suppress(OSError):  # full of what is to be looked at anyway, or over
            self._sender.send(bytes([FILES_CHANGED]))

    def happened(self) -> list[int]:
        """Return what has happened since: numbers of signals, and `FILES_CHANGED`."""
        try:
            return list(self.receiver.recv(4096))
        except BlockingIOError:
            return []

    @contextmanager
    def on_signals(self, numbers: Sequence[int]) -> Iterator[None]:
        """Take signals, where this thread may."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, _noted) for number in numbers}
        descriptor = signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(descriptor)
            for number, handler in before.items():
                signal.signal(number, handler)

    def close(self) -> None:
        """Let go of the socket."""
        self.receiver.close()
        self._sender.close()


def _noted(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: the byte that says it has been written."""
