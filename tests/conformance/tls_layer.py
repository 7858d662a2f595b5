"""The client's side of TLS on one connection of a case: bytes in, bytes out."""

from __future__ import annotations

import atexit
import functools
import ssl
import tempfile
from contextlib import suppress
from pathlib import Path

from tests.certificates import HOST, Authority, Pair

RECORD_SIZE = 16_384


@functools.cache
def authority() -> Authority:
    """Return the one that servers' certificates come from; its files last as long as this run."""
    folder = tempfile.TemporaryDirectory(prefix="conformance-")
    atexit.register(folder.cleanup)
    return Authority(Path(folder.name))


@functools.cache
def server_pair() -> Pair:
    """Return the certificate that every server of this run shows."""
    return authority().issue("server")


@functools.cache
def _context() -> ssl.SSLContext:
    return authority().client()


class TLSLayer:
    """Speak TLS to a server.

    Attributes:
        ended: the server has said that nothing more comes.
    """

    def __init__(self) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = _context().wrap_bio(self._incoming, self._outgoing, server_hostname=HOST)
        self.ended = False

    def shake(self, data: bytes | None) -> bool:
        """Go on with the handshake; tell whether it is done.

        Args:
            data: what came from the server, b"" for its FIN, None if nothing was read.

        Raises:
            OSError: it has failed.
        """
        self._feed(data)
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def _feed(self, data: bytes | None) -> None:
        if data:
            self._incoming.write(data)
        elif data is not None:
            self._incoming.write_eof()

    def encrypt(self, data: bytes) -> bytes:
        """Return the ciphertext of some plaintext."""
        view = memoryview(data)
        while view:
            view = view[self._object.write(view) :]
        return self.to_send()

    def decrypt(self, data: bytes) -> bytes:
        """Return the plaintext of what came from the server.

        Raises:
            OSError: it broke TLS, or sent FIN without a closure alert before.
        """
        self._feed(data)
        plaintext = bytearray()
        with suppress(ssl.SSLWantReadError):
            while record := self._record():
                plaintext += record
            self.ended = True
        return bytes(plaintext)

    def _record(self) -> bytes:
        try:
            return self._object.read(RECORD_SIZE)
        except ssl.SSLZeroReturnError:  # what its closure alert becomes behind one of ours
            return b""

    def finish(self) -> bytes:
        """Return the closure alert of this side."""
        with suppress(ssl.SSLError):  # the server's own has not come
            self._object.unwrap()
        return self.to_send()

    def to_send(self) -> bytes:
        """Return the ciphertext that is to be sent."""
        return self._outgoing.read()
