"""A client that does exactly what a test says: one socket, bytes out, responses in."""

from __future__ import annotations

import http.client
import select
import socket
import ssl
import struct
from collections.abc import Iterable
from types import TracebackType
from typing import Self, TypeAlias

Address: TypeAlias = "tuple[str, int] | str"
# Seconds without a byte after which a test fails.
SILENCE_BOUND = 60.0


class Response:
    """A response as it came: status, fields, content."""

    def __init__(self, answer: http.client.HTTPResponse, body: bytes) -> None:
        self.status = answer.status
        self.reason = answer.reason
        self.fields = [(name.lower(), value) for name, value in answer.getheaders()]
        self.body = body

    def field(self, name: str) -> str | None:
        """Return the value of a field, None without it."""
        values = [value for field_name, value in self.fields if field_name == name]
        assert len(values) < 2, f"{name} came {len(values)} times"
        return values[0] if values else None

    @property
    def text(self) -> str:
        """The content as text."""
        return self.body.decode()


class Connection:
    """One connection to a server.

    Args:
        address: host and port, or the path of a UNIX socket.
        receive_buffer: the kernel's receive buffer in bytes, where it matters.
        tls: what to speak TLS by, None for plain TCP.
        server_name: whom TLS asks for.
    """

    def __init__(
        self,
        address: Address,
        receive_buffer: int | None = None,
        tls: ssl.SSLContext | None = None,
        server_name: str = "localhost",
    ) -> None:
        self.socket = _socket_for(address)
        self.socket.settimeout(SILENCE_BOUND)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect(address)
        if tls is not None:
            plain = self.socket
            with plain:  # it is emptied, unless the handshake fails
                self.socket = tls.wrap_socket(plain, server_hostname=server_name)
        # http.client buffers what it reads: the next response may be among it.
        self._file = self.socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        frames: TracebackType | None,
    ) -> None:
        self.close()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.socket.sendall(data)

    def request(
        self,
        target: str,
        method: str = "GET",
        fields: Iterable[tuple[str, str]] = (),
        content: bytes | None = None,
    ) -> None:
        """Send a request; with content, its length is said unless `fields` says otherwise."""
        lines = [f"{method} {target} HTTP/1.1", "Host: test"]
        lines += [f"{name}: {value}" for name, value in fields]
        if content is not None and not any(n.lower() == "content-length" for n, _ in fields):
            lines.append(f"Content-Length: {len(content)}")
        self.send("\r\n".join([*lines, "", ""]).encode() + (content or b""))

    def start_response(self, method: str = "GET") -> http.client.HTTPResponse:
        """Read a response's head; the content is the caller's to read."""
        answer = http.client.HTTPResponse(_Buffered(self._file), method=method)  # type: ignore[arg-type]
        answer.begin()
        return answer

    def response(self, method: str = "GET") -> Response:
        """Read a whole response."""
        answer = self.start_response(method)
        return Response(answer, answer.read())

    def get(self, target: str) -> Response:
        """Send a request without content and read its response."""
        self.request(target)
        return self.response()

    def read(self, size: int) -> bytes:
        """Read exactly `size` bytes, fewer only at the end of the stream."""
        return self._file.read(size)

    def read_some(self) -> bytes:
        """Read what there is, waiting for the first byte; nothing at the end of the stream."""
        return self._file.read1(65536)

    def read_line(self) -> bytes:
        """Read a line with its end."""
        return self._file.readline()

    def read_to_end(self) -> bytes:
        """Return everything up to the server's FIN."""
        return self._file.read()

    def is_readable(self) -> bool:
        """Tell whether the server has sent something, or has closed."""
        if isinstance(self.socket, ssl.SSLSocket) and self.socket.pending():
            return True
        return bool(select.select([self.socket], [], [], 0)[0])

    def at_end(self) -> bool:
        """Wait for the server's FIN or reset; False if a byte comes instead."""
        try:
            return self._file.read(1) == b""
        except ConnectionError:
            return True

    @property
    def certificate(self) -> str:
        """Return the certificate that the server has shown, in PEM."""
        assert isinstance(self.socket, ssl.SSLSocket)
        return ssl.DER_cert_to_PEM_cert(self.socket.getpeercert(binary_form=True) or b"")

    def finish_writing(self) -> None:
        """Send FIN."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Send RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._file.close()
        self.socket.close()


class _Buffered:
    """Give one file to many responses: HTTPResponse closes what it is given."""

    def __init__(self, file: object) -> None:
        self._file = file

    def makefile(self, *_arguments: object) -> Self:
        return self

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)

    def close(self) -> None:
        """Leave the file open."""

    def flush(self) -> None:
        """Have nothing to flush."""


def _socket_for(address: Address) -> socket.socket:
    if isinstance(address, str):
        return socket.socket(socket.AF_UNIX)
    return socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
