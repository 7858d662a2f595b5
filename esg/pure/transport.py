"""A byte stream over one non-blocking socket, on any anyio backend.

A read or write is tried at once and waits only where the kernel has to: no buffer of our own
lies between the application and the client, so `send()` returns when the kernel has the bytes.
Must not know HTTP.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from anyio import ClosedResourceError, notify_closing, wait_readable, wait_writable

from esg.asgi import Buffer
from esg.binding import endpoint, peer
from esg.connection_reset import is_reset
from esg.file_part import FilePart
from esg.http import Piece
from esg.rules.scope import Address
from esg.send_buffer import unacknowledged

READ_SIZE = 65536
# What need not wait still lets other tasks run after this many bytes.
YIELD_AFTER = 65536
MESSAGE_COST = 4096  # what a read or a message counts besides its bytes


class SocketTransport:
    """Read, write and close one accepted connection.

    Attributes:
        client, server: the two ends as a scope shows them.
        scheme: of the URLs that lead here.
    """

    __slots__ = ("_closed", "_socket", "client", "server")

    scheme = "http"

    def __init__(self, accepted: socket.socket) -> None:
        accepted.setblocking(False)
        if accepted.family != getattr(socket, "AF_UNIX", None):
            # Answers are written whole: Nagle's algorithm would only hold the last segment back.
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = accepted
        self._closed = False
        self.client: Address = peer(accepted.getpeername())
        self.server: Address = endpoint(accepted.getsockname())

    @property
    def opening(self) -> bool:
        """Tell whether the client and this server are still agreeing on how to speak."""
        return False

    @property
    def ssl_object(self) -> Any:
        """Return what knows of TLS; None where it is not spoken."""
        return None

    def read_nowait(self) -> bytes | None:
        """Return what has come, b"" at the end of the stream, None if nothing has.

        Raises:
            OSError: the connection is lost.
        """
        try:
            return self._socket.recv(READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return None

    def peek_nowait(self, size: int) -> bytes | None:
        """Return what has come and leave it there; as `read_nowait`, but beneath TLS.

        Raises:
            OSError: the connection is lost.
        """
        try:
            return self._socket.recv(size, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return None

    def skip_nowait(self, size: int) -> None:
        """Throw away bytes that `peek_nowait` has returned."""
        self._socket.recv(size)

    async def wait_readable(self) -> None:
        """Wait until there is something to read, or `wake` is called."""
        with suppress(ClosedResourceError):
            await wait_readable(self._socket)

    def write_nowait(self, data: Buffer) -> Buffer | None:
        """Write what the kernel takes and return the rest, None if there is none.

        Raises:
            OSError: the connection is lost.
        """
        try:
            sent = self._socket.send(data)
        except (BlockingIOError, InterruptedError):
            return data
        return None if sent == len(data) else memoryview(data)[sent:]

    def write_file_nowait(self, part: FilePart) -> Sequence[Piece]:
        """Write what the kernel takes of a file at once and return what is left to write.

        Raises:
            OSError: the connection is lost.
            FileFailure: the file is at fault.
        """
        if part.by_reading:
            return part.write_by_reading(self.write_nowait)
        part.send(self._socket.fileno())
        if part:
            return (part,)
        part.close()
        return ()

    async def wait_writable(self) -> bool:
        """Wait until the kernel takes more (True), or `wake` is called."""
        try:
            await wait_writable(self._socket)
        except ClosedResourceError:
            return False
        return True

    def unacknowledged(self) -> int:
        """Return how many bytes the client's side has not taken; 0 where nobody knows."""
        return 0 if self._closed else unacknowledged(self._socket.fileno())

    def wake(self) -> None:
        """Make whoever waits for this transport look again at why."""
        if not self._closed:
            notify_closing(self._socket)

    def at_eof(self) -> bool:
        """Tell, without reading, whether the client has sent FIN or reset the connection."""
        try:
            return self._socket.recv(1, socket.MSG_PEEK) == b""
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            return True

    def is_reset(self) -> bool:
        """Tell, behind bytes that nobody has read, too, whether the connection has been reset."""
        return not self._closed and is_reset(self._socket.fileno())

    def finish_writing(self) -> None:
        """Send FIN and go on reading."""
        with suppress(OSError):  # the client may be gone already
            self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close the connection; what the kernel holds is still delivered."""
        if not self._closed:
            self.wake()
            self._closed = True
            self._socket.close()

    def abort(self) -> None:
        """Reset the connection, so that the client cannot take what it has for the whole."""
        if not self._closed:
            with suppress(OSError):
                self._socket.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
            self.close()
