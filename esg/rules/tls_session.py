"""TLS of one connection, seen from the server: ciphertext in and out, plaintext in and out, its end.

TLS itself is done by an `ssl.SSLObject` between two memory buffers, which this is given. A client's
closure alert is the end of its input and of no more, like a FIN: what it has asked for is still
answered. Must not know sockets, certificates or HTTP, but for a client that speaks HTTP where TLS
is spoken.

Obeys RFC 8446 section 6.1 (closure alerts) and RFC 9112 section 9.8.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

from esg.asgi import Buffer
from esg.errors import RequestRejected, TLSHandshakeFailed

# What a session is doing.
HANDSHAKE: Final = 0
OPEN: Final = 1
PLAIN: Final = 2  # the client speaks no TLS: what is written goes out as it is
OVER: Final = 3  # nothing can be written any more, and what comes is to be thrown away

# What `read_into` returns in the place of a number of bytes.
END: Final = 0  # the client has ended its input
NOTHING: Final = -1  # more ciphertext must come first

# What one record holds at most (RFC 8446 section 5.1).
RECORD_SIZE: Final = 16384
# Ciphertext for at most this much plaintext is made before it must be taken away.
ENCRYPT_AT_ONCE: Final = 65536

_WANT_READ: Final = 2  # ssl.SSL_ERROR_WANT_READ
_CUT_OFF: Final = 8  # ssl.SSL_ERROR_EOF
# No record of a handshake begins with a letter (RFC 8446 section 5.1), every method does.
_LETTERS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PLAIN_HTTP: Final = "plain HTTP was spoken to a TLS port"


class TLSSession:
    """Stand between a connection and its ciphertext.

    Args:
        ssl_object: of a server, between `incoming` and `outgoing`.
        incoming: an `ssl.MemoryBIO` for what comes from the client.
        outgoing: another for what is to go there.

    Attributes:
        state: HANDSHAKE, OPEN, PLAIN or OVER.
    """

    __slots__ = ("_begun", "_incoming", "_outgoing", "ssl_object", "state")

    def __init__(self, ssl_object: Any, incoming: Any, outgoing: Any) -> None:
        self.ssl_object = ssl_object
        self._incoming = incoming
        self._outgoing = outgoing
        self._begun = False
        self.state = HANDSHAKE

    def receive(self, data: Buffer) -> None:
        """Take ciphertext; then `read_into` until it says that there is NOTHING.

        Args:
            data: what has come, b"" for the client's FIN.

        Raises:
            RequestRejected: the client speaks HTTP.
        """
        if not data:
            self._incoming.write_eof()
            return
        if not self._begun:
            self._begun = True
            if data[0] in _LETTERS:
                self.state = PLAIN
                raise RequestRejected(400, PLAIN_HTTP)
        self._incoming.write(data)

    def read_into(self, buffer: Any) -> int:
        """Decrypt into a buffer what one record holds; return its size, END or NOTHING.

        There may be something to send afterwards, whatever is returned or raised.

        Args:
            buffer: of RECORD_SIZE at least.

        Raises:
            TLSHandshakeFailed: the client and this server cannot agree; there is an alert to send.
            OSError: the client has broken TLS, or left without a closure alert.
        """
        try:
            if self.state == HANDSHAKE:
                self.ssl_object.do_handshake()
                self.state = OPEN
            return int(self.ssl_object.read(len(buffer), buffer))
        except OSError as error:
            if error.errno == _WANT_READ:
                return NOTHING
            handshakes = self.state == HANDSHAKE
            self.state = OVER
            if error.errno == _CUT_OFF:
                raise ConnectionAbortedError("the client left without a closure alert") from None
            if handshakes:
                raise TLSHandshakeFailed(_reason(error)) from None
            raise

    def has_more(self) -> bool:
        """Tell whether there is ciphertext that has not been decrypted; it may be part of a record."""
        return bool(self._incoming.pending)

    def write(self, data: Buffer) -> None:
        """Encrypt; more than ENCRYPT_AT_ONCE is better given in parts.

        Raises:
            OSError: this is not the time to write.
        """
        if self.state == PLAIN:
            self._outgoing.write(data)
            return
        if self.state != OPEN:
            raise ConnectionAbortedError("TLS is not spoken")
        if len(data):
            # All of it: Python does not ask OpenSSL for partial writes (SSL_set_mode(3)).
            self.ssl_object.write(data)

    def finish(self) -> None:
        """End our side with a closure alert; what comes from now on is to be thrown away."""
        if self.state == OPEN:
            self.state = OVER
            with suppress(OSError):  # the client's own alert has not come: nobody waits for it
                self.ssl_object.unwrap()

    def data_to_send(self) -> bytes:
        """Return the ciphertext that has been made since the last call."""
        return bytes(self._outgoing.read())


def _reason(error: OSError) -> str:
    """Say why a handshake failed, in OpenSSL's words without its ornaments."""
    verdict = getattr(error, "verify_message", None)
    reason = getattr(error, "reason", None) or str(error)
    words = reason.replace("_", " ").lower()
    return f"{words}: {verdict}" if verdict else words
