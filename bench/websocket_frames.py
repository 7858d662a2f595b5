"""WebSocket from the client's side, as bytes: an opening handshake, a message, and its check.

Written here and not taken from a library, so that no server is checked by its own code. Sources:
RFC 6455 sections 4.1 and 5, RFC 7692 section 7.
"""

from __future__ import annotations

import json
import random
import socket
import struct
import zlib
from dataclasses import dataclass

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
MASK = b"\x37\xfa\x21\x3d"
DEFLATED, TEXT, BINARY = 0x40, 1, 2
# The offer lets a server ask for a smaller window than 15 bits; none here asks for less than 12.
WINDOW_BITS = 12
# What the sender of a compressed message leaves out, and its reader puts back.
TAIL = b"\x00\x00\xff\xff"
READ_SIZE = 1 << 18


class WrongAnswer(Exception):
    """A server did not do what was asked; the text says what it did."""


@dataclass(frozen=True)
class Message:
    """A message that is sent again and again.

    Args:
        size: bytes of its payload, before it is compressed.
        opcode: TEXT or BINARY.
        compressed: Whether permessage-deflate is asked for, and used.
    """

    size: int
    opcode: int = TEXT
    compressed: bool = False

    @property
    def payload(self) -> bytes:
        """Return what the application gets: records in JSON for text, random octets else."""
        if self.opcode == BINARY:
            return random.Random(self.size).randbytes(self.size)
        source = random.Random(1)
        records: list[str] = []
        size = 0
        while size < self.size:
            record = {"id": source.randrange(10**9), "at": f"{source.random():.9f}", "on": True}
            records.append(json.dumps(record))
            size += len(records[-1]) + 1
        return "\n".join(records).encode()[: self.size]

    @property
    def frame(self) -> bytes:
        """Return the message as one masked frame.

        It is compressed without what came before it, as a client may do at any time: so it is the
        same each time.
        """
        payload = self.payload
        first = 0x80 | self.opcode
        if self.compressed:
            compressor = zlib.compressobj(wbits=-WINDOW_BITS)
            payload = compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)
            payload = payload.removesuffix(TAIL)
            first |= DEFLATED
        return struct.pack("!B", first) + _length(len(payload)) + MASK + mask(payload)

    @property
    def handshake(self) -> bytes:
        """Return the request that opens a WebSocket, with the offer that browsers make."""
        lines = [
            *("GET / HTTP/1.1", "Host: 127.0.0.1", "Connection: Upgrade", "Upgrade: websocket"),
            *("Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {KEY}"),
        ]
        if self.compressed:
            lines.append("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")
        return "\r\n".join([*lines, "", ""]).encode()


def _length(size: int) -> bytes:
    """Return the length field of a masked frame."""
    if size < 126:
        return struct.pack("!B", 0x80 | size)
    return struct.pack("!BH", 0xFE, size) if size < 65536 else struct.pack("!BQ", 0xFF, size)


def mask(payload: bytes) -> bytes:
    """Return a payload masked by MASK."""
    key = (MASK * (len(payload) // 4 + 1))[: len(payload)]
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")
    return masked.to_bytes(len(payload), "big")


class Client:
    """A WebSocket on 127.0.0.1 that sends a message and reads it back."""

    def __init__(self, port: int, message: Message) -> None:
        self._message = message
        self._inflate = zlib.decompressobj(wbits=-15)
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._input = b""

    def close(self) -> None:
        """Close the connection without more ado."""
        self._socket.close()

    def open(self) -> None:
        """Open the WebSocket.

        Raises:
            WrongAnswer: The server refuses, or does not compress where it is asked to.
        """
        self._socket.sendall(self._message.handshake)
        while b"\r\n\r\n" not in self._input:
            self._read()
        head, _, self._input = self._input.partition(b"\r\n\r\n")
        status, *fields = head.split(b"\r\n")
        if not status.startswith(b"HTTP/1.1 101"):
            raise WrongAnswer(f"answered the handshake with {status.decode('latin-1')!r}")
        accepted = any(
            field.lower().startswith(b"sec-websocket-extensions:") and b"deflate" in field.lower()
            for field in fields
        )
        if self._message.compressed and not accepted:
            raise WrongAnswer("does not compress")

    def send(self) -> None:
        """Send the message."""
        self._socket.sendall(self._message.frame)

    def receive(self) -> None:
        """Read the message back.

        Raises:
            WrongAnswer: What comes back is not what was sent.
        """
        opcode, payload = self._next_message()
        if (opcode, payload) != (self._message.opcode, self._message.payload):
            raise WrongAnswer(f"sent {len(payload)} bytes with opcode {opcode}, not the message")

    def _next_message(self) -> tuple[int, bytes]:
        opcode, compressed, pieces = 0, False, b""
        while True:
            first, payload = self._next_frame()
            if first & 0x0F >= 8:
                raise WrongAnswer(f"sent a control frame with opcode {first & 0x0F}")
            opcode = first & 0x0F or opcode
            compressed = compressed or bool(first & DEFLATED)
            pieces += payload
            if first & 0x80:
                break
        return opcode, self._inflate.decompress(pieces + TAIL) if compressed else pieces

    def _next_frame(self) -> tuple[int, bytes]:
        first, size = self._take(2)
        if size & 0x80:
            raise WrongAnswer("sent a masked frame")
        if size >= 126:
            size = int.from_bytes(self._take(2 if size == 126 else 8), "big")
        return first, self._take(size)

    def _take(self, size: int) -> bytes:
        while len(self._input) < size:
            self._read()
        taken, self._input = self._input[:size], self._input[size:]
        return taken

    def _read(self) -> None:
        data = self._socket.recv(READ_SIZE)
        if not data:
            raise WrongAnswer("closed the connection")
        self._input += data
