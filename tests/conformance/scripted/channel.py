"""The side channel between the scripted application and the test runner.

One TCP connection on loopback per application call. The application opens it, names the
connection it serves, and gets its script; then it writes one trace record per line and
reads the names of the gates that the runner opens. A record is the `repr` of a Python
literal, so bytes, tuples and None survive the trip as they are. The end of the stream is
the end of the call, even if the process died.
"""

from __future__ import annotations

import ast
import asyncio
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Any

ADDRESS_VARIABLE = "CONFORMANCE_CHANNEL"


def running_on_trio() -> bool:
    """Tell whether the calling task is a trio task."""
    trio = sys.modules.get("trio")
    if trio is None:
        return False
    try:
        trio.lowlevel.current_task()
    except RuntimeError:
        return False
    return True


async def wait_readable(sock: socket.socket) -> None:
    """Wait until `sock` can be read, on whichever event loop is running."""
    if running_on_trio():
        await sys.modules["trio"].lowlevel.wait_readable(sock)
        return
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(sock.fileno(), readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(sock.fileno())


async def sleep(seconds: float) -> None:
    """Sleep on whichever event loop is running."""
    if running_on_trio():
        await sys.modules["trio"].sleep(seconds)
    else:
        await asyncio.sleep(seconds)


async def together(*branches: Callable[[], Awaitable[None]]) -> None:
    """Run the branches concurrently on whichever event loop is running."""
    if running_on_trio():
        async with sys.modules["trio"].open_nursery() as nursery:
            for branch in branches:
                nursery.start_soon(branch)
    else:
        await asyncio.gather(*(branch() for branch in branches))


def literal(value: Any) -> Any:
    """Reduce `value` to Python literals; what is none is told by its type and repr."""
    if value is None or isinstance(value, bool):
        return value
    for plain in (int, float, str):
        if isinstance(value, plain):
            return plain(value)  # an IntEnum's repr is no literal
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, dict):
        return {str(key): literal(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [literal(item) for item in value]
        return items if isinstance(value, list) else tuple(items)
    return f"<{type(value).__name__}: {value!r}>"


def family(error: BaseException) -> list[str]:
    """Name the classes of `error`, the most derived first."""
    return [cls.__name__ for cls in type(error).__mro__ if cls is not object]


class Channel:
    """One call's connection to the runner.

    The set-up blocks the event loop for one round trip on loopback: the script must be
    known before the application does anything a server could see.
    """

    def __init__(self, scope_type: str, peer: Any) -> None:
        host, port, token = os.environ[ADDRESS_VARIABLE].rsplit(":", 2)
        self._sock = socket.create_connection((host, int(port)), timeout=20)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        self._opened: set[str] = set()
        self.record("hello", token, scope_type, literal(peer))
        self.script: tuple[Any, ...] = ast.literal_eval(self._read_line())
        self._sock.setblocking(False)

    def record(self, *entry: Any) -> None:
        """Write one trace record."""
        self._sock.setblocking(True)
        self._sock.sendall(repr(literal(entry)).encode("utf-8", "backslashreplace") + b"\n")
        self._sock.setblocking(False)

    def _read_line(self) -> str:
        while b"\n" not in self._buffer:
            self._sock.setblocking(True)
            data = self._sock.recv(65_536)
            if not data:
                raise ConnectionError("the test runner closed the side channel")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode()

    async def pass_gate(self, name: str) -> None:
        """Report having reached the gate `name` and wait until the runner opens it."""
        self.record("gate", name)
        while name not in self._opened:
            await self._read_opened_gates()

    async def _read_opened_gates(self) -> None:
        await wait_readable(self._sock)
        try:
            data = self._sock.recv(65_536)
        except BlockingIOError:
            return
        if not data:
            raise ConnectionError("the test runner closed the side channel")
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        self._opened.update(line.decode() for line in lines)

    def close(self) -> None:
        """End the call for the runner."""
        self._sock.close()
