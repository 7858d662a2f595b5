"""A byte stream over TLS: a socket's transport with `rules.tls_session` between it and the driver.

What is held here is ciphertext that is made already and that the kernel has not taken, and one
read that `at_eof` had to do ahead. Must not know HTTP.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from esg.asgi import Buffer
from esg.errors import RequestRejected
from esg.file_part import FilePart
from esg.http import Piece
from esg.pure.transport import SocketTransport
from esg.rules.tls_session import (
    ENCRYPT_AT_ONCE,
    HANDSHAKE,
    NOTHING,
    OPEN,
    OVER,
    RECORD_SIZE,
    TLSSession,
)

# Reads that bring no plaintext, before others have their turn.
_READS_AT_ONCE = 8
# A client that makes TLS answer and does not read the answers is dropped at this many bytes.
_MOST_UNSENT = 4 * ENCRYPT_AT_ONCE


class TLSTransport(SocketTransport):
    """Read, write and close one accepted connection, encrypted.

    Args:
        accepted: the socket.
        session: which has not begun.
    """

    __slots__ = ("_ahead", "_broken", "_session", "_unsent")

    scheme = "https"

    def __init__(self, accepted: socket.socket, session: TLSSession) -> None:
        super().__init__(accepted)
        self._session = session
        self._ahead: bytes | None = None  # what `at_eof` has read
        self._broken: OSError | None = None  # why nothing can be read any more
        self._unsent: Buffer = b""  # ciphertext

    @property
    def opening(self) -> bool:
        """Tell whether the client and this server are still agreeing on how to speak."""
        return self._session.state == HANDSHAKE

    @property
    def ssl_object(self) -> Any:
        """Return what knows of certificates, versions and ciphers."""
        return self._session.ssl_object

    def read_nowait(self) -> bytes | None:
        """Return what has come, b"" at the end of the client's input, None if nothing has.

        Raises:
            RequestRejected: the client speaks HTTP without TLS.
            TLSHandshakeFailed: it speaks a TLS that this server does not.
            OSError: the connection is lost.
        """
        data, self._ahead = self._ahead, None
        return self._read() if data is None else data

    def _read(self) -> bytes | None:
        if self._broken is not None:
            raise self._broken
        if self._session.state not in (HANDSHAKE, OPEN):
            return super().read_nowait()  # to be thrown away
        for _ in range(_READS_AT_ONCE):
            data = self._decrypt()
            ciphertext = super().read_nowait() if data is None else None
            if ciphertext is None:
                return data
            self._session.receive(ciphertext)
        return self._decrypt()

    def _decrypt(self) -> bytes | None:
        """Return what one record holds; send what TLS has to say by itself."""
        buffer = bytearray(RECORD_SIZE)
        try:
            size = self._session.read_into(buffer)
        except OSError as error:
            self._broken = error
            raise
        finally:
            self._flush()
        return None if size == NOTHING else bytes(memoryview(buffer)[:size])

    async def wait_readable(self) -> None:
        """Wait until there is something to read, or `wake` is called."""
        if self.opening and self._unsent:
            await self.wait_writable()
        elif self._ahead is None:
            await super().wait_readable()

    def write_nowait(self, data: Buffer) -> Buffer | None:
        """Write what the kernel takes and return the rest, None if there is none.

        The rest is empty where only ciphertext waits for the kernel.

        Raises:
            OSError: the connection is lost.
        """
        rest = memoryview(data)
        while self._flush():
            if not rest:
                return None
            self._session.write(rest[:ENCRYPT_AT_ONCE])
            rest = rest[ENCRYPT_AT_ONCE:]
        return rest

    def write_file_nowait(self, part: FilePart) -> Sequence[Piece]:
        """Write what the kernel takes of a file, by reading it, and return what is left to write.

        Raises:
            OSError: the connection is lost.
            FileFailure: the file is at fault.
        """
        part.by_reading = True
        return super().write_file_nowait(part)

    def _flush(self) -> bool:
        """Write ciphertext; tell whether the kernel has all of it.

        Raises:
            OSError: the connection is lost.
        """
        made = self._session.data_to_send()
        due = b"".join((self._unsent, made)) if self._unsent and made else made or self._unsent
        self._unsent = (super().write_nowait(due) if due else None) or b""
        if len(self._unsent) > _MOST_UNSENT:
            raise ConnectionAbortedError("the client does not read what TLS answers")
        return not self._unsent

    def at_eof(self) -> bool:
        """Tell whether the client has ended its input, or the connection is lost."""
        if self._ahead is None:
            try:
                self._ahead = self._read()
            except (OSError, RequestRejected):
                self.wake()
                return True
            if self._ahead is not None:
                self.wake()
        return self._ahead == b""

    def finish_writing(self) -> None:
        """Send a closure alert and FIN, and go on reading."""
        self._end_session()
        super().finish_writing()

    def close(self) -> None:
        """Close the connection with a closure alert, without waiting for the client's."""
        if not self._closed:
            self._end_session()
        super().close()

    def _end_session(self) -> None:
        self._session.finish()
        with suppress(OSError):  # the client may be gone already
            self._flush()

    def abort(self) -> None:
        """Reset the connection, so that the client cannot take what it has for the whole."""
        self._session.state = OVER  # a closure alert would say that it is
        super().abort()
