"""An event loop and a transport without a kernel: what happens, and when, is the input's to say.

They stand for asyncio's as far as the fast driver looks, and are as strict: a callback that raises
and a call that a transport must not get are faults.
"""

from __future__ import annotations

import asyncio
import contextvars
import socket
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVarTuple, Unpack

Ts = TypeVarTuple("Ts")

# Callbacks that one event may cause; more would be a loop without an end.
_MOST_CALLBACKS = 100_000


class ScriptedLoop(asyncio.AbstractEventLoop):
    """Run callbacks in order, until there are none; time stands still."""

    def __init__(self) -> None:
        self._ready: deque[asyncio.Handle] = deque()
        self.faults: list[str] = []

    def call_soon(
        self,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """Have a callback run."""
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        """Make a future of this loop."""
        return asyncio.Future(loop=self)

    def get_debug(self) -> bool:
        """Be no loop for debugging."""
        return False

    def time(self) -> float:
        """Return the same time, always."""
        return 0.0

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Take note of what a callback has raised."""
        self.faults.append(f"{context.get('message')}: {context.get('exception')!r}")

    @contextmanager
    def running(self) -> Iterator[None]:
        """Be the running loop."""
        asyncio._set_running_loop(self)
        try:
            yield
        finally:
            asyncio._set_running_loop(None)

    def run(self) -> None:
        """Run callbacks, those that they ask for, too."""
        for _ in range(_MOST_CALLBACKS):
            if not self._ready:
                return
            self._ready.popleft()._run()
        raise AssertionError("callbacks without an end")


# The ends of connections that nobody reads or writes: what is asked of a descriptor has an answer.
_DESCRIPTORS = socket.socketpair()
_DESCRIPTORS[0].setblocking(False)


class ScriptedTransport(asyncio.Transport):
    """Take what a connection writes, and give it what comes.

    Args:
        loop: where it tells that the connection is lost.

    Attributes:
        written: all bytes, in order.
        end: how the connection has ended for the client, "" while it has not.
        full: writing blocks.
    """

    def __init__(self, loop: ScriptedLoop) -> None:
        super().__init__(
            {
                "socket": _DESCRIPTORS[0],
                "peername": ("192.0.2.1", 1000),
                "sockname": ("192.0.2.2", 80),
            }
        )
        self._loop = loop
        self._protocol: Any = None
        self.written = bytearray()
        self.end = ""
        self.full = False
        self._eof_written = False
        self._blocked = False
        self._reading = True
        self._unread = b""
        self._closing = False
        self._lost = False

    # What the network does.

    def connect(self, protocol: Any) -> None:
        """Begin."""
        self._protocol = protocol
        protocol.connection_made(self)

    def receive(self, data: bytes) -> None:
        """Bring bytes; they wait while reading is paused."""
        self._unread += data
        while self._unread and self._reading and not self._closing:
            room = memoryview(self._protocol.get_buffer(-1)).cast("B")
            size = min(len(self._unread), len(room))
            room[:size] = self._unread[:size]
            self._unread = self._unread[size:]
            self._protocol.buffer_updated(size)

    def receive_eof(self) -> None:
        """Bring the client's FIN, once everything before it has been read."""
        if self._closing or self._unread:
            return
        self._reading = False
        if not self._protocol.eof_received():
            self.close()

    def lose(self) -> None:
        """Have the client reset the connection."""
        self._unread = b""
        self._lose(ConnectionResetError())

    def take(self) -> None:
        """Take what was written."""
        self.full = False
        if self._blocked:
            self._blocked = False
            if self._closing:
                self._lose(None)
            else:
                self._protocol.resume_writing()

    # What a connection does.

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Tell another protocol from now on."""
        self._protocol = protocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """See that there is to be no room at all: else writing would not be paused."""
        assert high == 0

    def get_write_buffer_size(self) -> int:
        """Return whether anything is waiting."""
        return int(self._blocked)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take bytes."""
        assert isinstance(data, bytes | memoryview)
        assert data
        assert not self._eof_written
        if self._closing:
            return
        self.written += data
        if self.full and not self._blocked:
            self._blocked = True
            self._protocol.pause_writing()

    def writelines(self, list_of_data: Any) -> None:
        """Take several."""
        for data in list_of_data:
            self.write(data)

    def can_write_eof(self) -> bool:
        """Be a stream with two ends."""
        return True

    def write_eof(self) -> None:
        """End one."""
        assert not self._eof_written
        self._eof_written = True
        self.end = self.end or "FIN"

    def pause_reading(self) -> None:
        """Read no more; asked twice is a fault, though asyncio forgives it."""
        assert self._reading or self._closing
        self._reading = False

    def resume_reading(self) -> None:
        """Read again, from the loop's next turn on."""
        self._reading = True
        self._loop.call_soon(self.receive, b"")

    def is_closing(self) -> bool:
        """Tell whether it is closed, or about to be."""
        return self._closing

    def close(self) -> None:
        """End once everything is written."""
        self.end = self.end or "FIN"
        self._closing = True
        if not self._blocked:
            self._lose(None)

    def abort(self) -> None:
        """End at once."""
        self.end = "RST" if self.end != "FIN" else self.end
        self._lose(None)

    def _lose(self, error: Exception | None) -> None:
        self._closing = True
        if not self._lost:
            self._lost = True
            self._loop.call_soon(self._protocol.connection_lost, error)
