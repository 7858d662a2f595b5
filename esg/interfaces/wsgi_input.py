"""`wsgi.input`: the content of one request, read from the client as the application reads it.

Runs in the application's thread.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from esg.asgi import Message
from esg.errors import ClientDisconnected

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BUFFER: Final = 65536  # bytes


class _Content(io.RawIOBase):
    """The unbuffered stream below.

    Args:
        receive: waits for the next ASGI message.
        first: content that has come already.
        more: whether there is more of it.
    """

    def __init__(self, receive: Callable[[], Message], first: bytes, more: bool) -> None:
        super().__init__()
        self._receive = receive
        self._left = memoryview(first)
        self._more = more

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill a buffer with what has come; 0 at the end of the content.

        Raises:
            ClientDisconnected: the client is gone, or its content did not come in time.
        """
        while not self._left and self._more:
            self._take(self._receive())
        target = memoryview(buffer).cast("B")
        size = min(len(self._left), len(target))
        target[:size] = self._left[:size]
        self._left = self._left[size:]
        return size

    def _take(self, message: Message) -> None:
        if message["type"] != "http.request":
            raise ClientDisconnected("the client has left before all of its content had come")
        self._left = memoryview(message.get("body", b""))
        self._more = message.get("more_body", False)


def open_input(receive: Callable[[], Message], first: bytes, more: bool) -> io.BufferedReader:
    """Return the stream of one request's content.

    Args:
        receive: waits for the next ASGI message.
        first: content that has come already.
        more: whether there is more of it.
    """
    return io.BufferedReader(_Content(receive, first, more), _BUFFER)
