"""A pool of many idle connections, with the rules of Go's net/http.Transport.

Each connection is read all the time, so that the server's end of one takes it out of the pool. The
last one used is used first. A request on a kept connection that ends without a byte of an answer is
made once more on another one; on a new connection that is an error.
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from tests.clients.load import Load

AT_ONCE = 200  # requests, and so connections that are idle afterwards
TIMEOUT = 60.0  # seconds
_REQUEST = b"GET / HTTP/1.1\r\nHost: pool\r\nUser-Agent: Go-http-client/1.1\r\n\r\n"


class _Connection(asyncio.Protocol):
    """One connection of the pool."""

    def __init__(self, pool: _Pool) -> None:
        self._pool = pool
        self._read = b""
        self.used = False
        self.answer: asyncio.Future[bytes | None] | None = None
        self.transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be connected."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Read an answer; its content is known to be five octets."""
        self._read += data
        head, found, body = self._read.partition(b"\r\n\r\n")
        if found and len(body) >= len(b"hello"):
            self._read = b""
            assert self.answer is not None, "an answer that nobody asked for"
            self.answer.set_result(head.split(b"\r\n")[0] + b"|" + body)

    def connection_lost(self, error: Exception | None) -> None:
        """Leave the pool."""
        if self in self._pool.idle:
            self._pool.idle.remove(self)
        if self.answer is not None and not self.answer.done():
            if self._read or not self.used:
                self.answer.set_exception(error or EOFError("in the midst of an answer"))
            else:
                self.answer.set_result(None)

    async def ask(self) -> bytes | None:
        """Make a request; return the answer, None if a kept connection was at its end."""
        assert isinstance(self.transport, asyncio.WriteTransport)
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(_REQUEST)
        answer = await asyncio.wait_for(self.answer, TIMEOUT)
        self.used = True
        self.answer = None
        return answer


class _Pool:
    def __init__(self, host: str, port: int) -> None:
        self._place = (host, port)
        self.idle: list[_Connection] = []
        self.repeated = 0

    async def ask(self) -> bool:
        while True:
            connection = self.idle.pop() if self.idle else await self._connect()
            answer = await connection.ask()
            if answer is not None:
                self.idle.append(connection)
                return answer == b"HTTP/1.1 200 OK|hello"
            self.repeated += 1

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(lambda: _Connection(self), *self._place)
        return connection

    def close(self) -> None:
        for connection in self.idle:
            if connection.transport is not None:
                connection.transport.close()


def with_idle_pool(load: Load) -> int:
    """Return the number of right answers."""
    parts = urlsplit(load.url)
    assert parts.hostname is not None
    assert parts.port is not None

    async def main(host: str, port: int) -> int:
        pool = _Pool(host, port)
        right = 0
        for pause in (0.0, *load.pauses):
            await asyncio.sleep(pause)
            left = load.requests
            while left:
                number = min(left, AT_ONCE)
                right += sum(await asyncio.gather(*(pool.ask() for _ in range(number))))
                left -= number
        pool.close()
        return right

    return asyncio.run(main(parts.hostname, parts.port))
