"""One client connection of a case: raw octets, FIN and RST, and feeding byte by byte.

Over TLS the octets are those inside, a closure alert comes before each FIN, and a FIN without one
is no better than a RST.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from dataclasses import dataclass
from typing import Any

from tests.conformance.receive_queue import ReceiveQueue
from tests.conformance.tls_layer import TLSLayer
from tests.conformance.wire import ResponseParser

Address = tuple[str, int] | str
READ_BOUND = 1.0
SEND_BOUND = 20.0
POLL_INTERVAL = 0.001


class Timeout(Exception):
    """What a case waited for did not come in time."""


class Changes:
    """Wake a case whenever anything it may be waiting for has happened."""

    def __init__(self) -> None:
        self._waiter: asyncio.Future[None] | None = None
        self.count = 0

    def notify(self) -> None:
        """Say that something has changed."""
        self.count += 1
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    async def once_more(self, seconds: float) -> bool:
        """Wait for the next change; return False when none came within `seconds`."""
        self._waiter = asyncio.get_running_loop().create_future()
        done, _ = await asyncio.wait([self._waiter], timeout=seconds)
        return bool(done)

    async def until(self, condition: Any, seconds: float, what: str) -> None:
        """Wait until `condition()` is true; raise `Timeout` naming `what` after `seconds`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not condition():
            remaining = deadline - loop.time()
            if remaining <= 0 or not await self.once_more(remaining):
                if condition():
                    return
                raise Timeout(f"waited {seconds:g} s for {what}")


@dataclass
class Ends:
    """How the connection ended, as the client saw it."""

    eof: bool = False
    reset: bool = False
    by_client: bool = False

    @property
    def any(self) -> bool:
        """Tell whether nothing more can arrive."""
        return self.eof or self.reset or self.by_client

    @property
    def words(self) -> str:
        """Say how the server ended it."""
        return "RST" if self.reset else "FIN" if self.eof else "left open"


class Client:
    """A client connection that records everything."""

    def __init__(
        self, address: Address, changes: Changes, methods: list[str], *, secure: bool = False
    ) -> None:
        self.address = address
        self.parser = ResponseParser(methods)
        self.sent = bytearray()
        self.ends = Ends()
        self.unread_at: int | None = None
        self.rest = b""
        self._changes = changes
        self._loop = asyncio.get_running_loop()
        self._sock = _socket_for(address)
        self.local: Any = self._sock.getsockname()
        self._reading = False
        self._tls = TLSLayer() if secure else None
        self._unsent = b""  # as it goes over the wire
        self._on_wire = 0  # octets sent

    async def connect(self) -> None:
        """Connect and begin to read."""
        await self._loop.sock_connect(self._sock, self.address)
        if self._tls is not None:
            await asyncio.wait_for(self._shake(self._tls), SEND_BOUND)
        self.resume_reading()

    async def _shake(self, tls: TLSLayer) -> None:
        came: bytes | None = None
        while not tls.shake(came):
            await self._put(tls.to_send())
            came = await self._loop.sock_recv(self._sock, 65_536)
        await self._put(tls.to_send())

    async def _put(self, octets: bytes) -> None:
        await self._loop.sock_sendall(self._sock, octets)
        self._on_wire += len(octets)

    def _wired(self, data: bytes) -> bytes:
        return data if self._tls is None else self._tls.encrypt(data)

    def resume_reading(self) -> None:
        """Read what arrives."""
        if not self._reading and not self.ends.any:
            self._loop.add_reader(self._sock.fileno(), self._on_readable)
            self._reading = True

    def stop_reading(self) -> None:
        """Leave what arrives in the kernel's buffer."""
        if self._reading:
            self._loop.remove_reader(self._sock.fileno())
            self._reading = False

    def _on_readable(self) -> None:
        try:
            data = self._sock.recv(262_144)
            ended = not data
            if self._tls is not None:
                data = self._tls.decrypt(data)
                ended = self._tls.ended
        except BlockingIOError:
            return
        except OSError:
            self.ends.reset = True
            data, ended = b"", True
        if data:
            self.parser.feed(data)
        if ended:
            self.stop_reading()
            self.ends.eof = not self.ends.reset
            if self.ends.eof:
                self.parser.feed_eof()
        self._changes.notify()

    @property
    def answered(self) -> bool:
        """Tell whether the server has ended the connection or will (Connection: close)."""
        if self.ends.any:
            return True
        return any(
            response.complete
            and "close" in (value.lower() for value in response.values("connection"))
            for response in self.parser.responses
        )

    async def send(self, data: bytes) -> None:
        """Send one segment; a connection that the server has ended takes no more."""
        if self.ends.any:
            return
        self.sent += data  # Be it in part, if the server ends the connection meanwhile.
        try:
            async with asyncio.timeout(SEND_BOUND):
                octets, self._unsent = self._unsent + self._wired(data), b""
                await self._put(octets)
        except TimeoutError as error:
            raise Timeout(f"the server did not read {len(data)} bytes") from error
        except OSError:
            self._changes.notify()

    async def send_split(self, data: bytes, queue: ReceiveQueue) -> None:
        """Send byte by byte, each after the server has read the former.

        Stops as soon as the server has answered and will close. When the server stops reading
        (backpressure), the rest goes out as one segment.
        """
        for index in range(len(data)):
            if self.answered:
                return
            if self.unread_at is not None:
                await self.send(data[index:])
                return
            await self.send(data[index : index + 1])
            await self.until_read(queue)

    async def until_read(self, queue: ReceiveQueue) -> None:
        deadline = self._loop.time() + READ_BOUND
        os.sched_yield()
        while not queue.drained(self.address, self.local, self._on_wire):  # type: ignore[arg-type]
            if self.answered:
                return
            if self._loop.time() > deadline:
                self.unread_at = len(self.sent)
                return
            await asyncio.sleep(POLL_INTERVAL)

    async def fill(self, data: bytes, quiet: float) -> int:
        """Send until the server takes nothing for `quiet` seconds; return how much went out."""
        taken = 0
        while taken < len(data) or self._unsent:
            if not self._unsent:
                self._unsent = self._wired(data[taken : taken + 65_536])
                taken += len(data[taken : taken + 65_536])
            try:
                sent = self._sock.send(self._unsent)
            except BlockingIOError:
                if not await self._writable(quiet):
                    break
            except OSError:
                break
            else:
                self._unsent = self._unsent[sent:]
                self._on_wire += sent
        self.sent += data[:taken]
        self.rest = data[taken:]
        return max(0, taken - len(self._unsent))

    async def _writable(self, seconds: float) -> bool:
        ready = self._loop.create_future()
        self._loop.add_writer(self._sock.fileno(), _settle, ready)
        try:
            done, _ = await asyncio.wait([ready], timeout=seconds)
            return bool(done)
        finally:
            self._loop.remove_writer(self._sock.fileno())

    def half_close(self) -> None:
        """Send FIN and go on reading."""
        if not self.ends.any:
            if self._tls is not None:
                self._sock.send(self._tls.finish())
            self._sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Abort the connection with RST."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._close()

    def close(self) -> None:
        """Close the connection."""
        if self._tls is not None and not self.ends.any:
            with contextlib.suppress(OSError):  # the server may have closed meanwhile
                self._sock.send(self._tls.finish())
        self._close()

    def _close(self) -> None:
        self.stop_reading()
        self.ends.by_client = not (self.ends.eof or self.ends.reset)
        self._sock.close()


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def _socket_for(address: Address) -> socket.socket:
    """Make a socket, bound already: its local port names the connection to the app."""
    if isinstance(address, str):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.setblocking(False)
        return sock
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.bind((address[0], 0))
    return sock
