"""A WebSocket client that does exactly what a test says: one frame out, one frame in."""

from __future__ import annotations

import ssl
from collections.abc import Iterable

from tests.client import Address, Connection, Response
from tests.conformance.websocket_frames import CLOSE, TEXT, WireFrame, cut, frame

OPENING = (
    ("Connection", "Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Sec-WebSocket-Version", "13"),
)


class WebSocket(Connection):
    """One connection that asks for a WebSocket."""

    def __init__(
        self,
        address: Address,
        receive_buffer: int | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(address, receive_buffer, tls)
        self._unread = b""

    def ask(self, target: str = "/echo", fields: Iterable[tuple[str, str]] = ()) -> Response:
        """Send an opening handshake; return the answer."""
        self.request(target, fields=[*OPENING, *fields])
        return self.response()

    def open(self, target: str = "/echo", fields: Iterable[tuple[str, str]] = ()) -> Response:
        """Send an opening handshake that is accepted."""
        answer = self.ask(target, fields)
        assert answer.status == 101
        return answer

    def send_frame(self, opcode: int, payload: bytes = b"", fin: bool = True, rsv: int = 0) -> None:
        """Send a frame."""
        self.send(frame(opcode, payload, fin=fin, rsv=rsv))

    def send_text(self, text: str) -> None:
        """Send a text message."""
        self.send_frame(TEXT, text.encode())

    def send_close(self, code: int = 1000, reason: str = "") -> None:
        """Send a close frame."""
        self.send_frame(CLOSE, code.to_bytes(2, "big") + reason.encode())

    def next_frame(self) -> WireFrame:
        """Read the next frame."""
        while (found := cut(self._unread)) is None:
            data = self.read_some()
            assert data, f"the connection ends with {self._unread!r}"
            self._unread += data
        self._unread = self._unread[found[1] :]
        return found[0]

    def next_text(self) -> str:
        """Read a text message of one frame."""
        found = self.next_frame()
        assert (found.opcode, found.fin, found.rsv) == (TEXT, True, 0), str(found)
        return found.payload.decode()

    def next_close(self) -> tuple[int, str]:
        """Read a close frame; 1005 stands for no code."""
        found = self.next_frame()
        assert found.opcode == CLOSE, str(found)
        code = int.from_bytes(found.payload[:2], "big") if found.payload else 1005
        return code, found.payload[2:].decode()
