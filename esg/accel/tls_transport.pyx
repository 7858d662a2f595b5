# cython: binding=False
"""TLS between a socket's transport and a connection: a protocol to the one, a transport to the other.

What there is to decide is decided by `rules.tls_session`. Ciphertext is decrypted as it comes,
unless reading is paused; plaintext is encrypted as the kernel takes it, so that no large answer
exists twice. Must not know HTTP.
"""

import asyncio
from collections import deque

from esg.accel.rules.tls_session cimport TLSSession
from esg.accel.serving cimport ReceiveBuffer, Serving
from esg.accel.transport_connection cimport TransportConnection

from esg.accel.rules.tls_session import ENCRYPT_AT_ONCE, RECORD_SIZE
from esg.errors import RequestRejected, TLSHandshakeFailed
from esg.logs import logger

cdef enum:
    # States of a session; a .pxd cannot export a Python constant.
    HANDSHAKE = 0
    OPEN = 1
    PLAIN = 2
    OVER = 3

cdef enum:
    # What a session's read_into returns in the place of a number of bytes.
    END = 0
    NOTHING = -1

cdef enum:
    # What follows the plaintext that waits.
    MORE = 0
    SEND_EOF = 1
    CLOSE = 2

cdef enum:
    # A client that makes TLS answer and does not read the answers is dropped at this many bytes.
    MOST_UNSENT = 262144

cdef Py_ssize_t _at_once = ENCRYPT_AT_ONCE
cdef Py_ssize_t _record = RECORD_SIZE


cdef class TLSTransport:
    """Carry one connection.

    Args:
        serving: what all connections share.
        connection: the protocol that is spoken inside.
    """

    def __init__(self, Serving serving, connection):
        self._serving = serving
        self._connection = connection
        self._session = TLSSession(*serving.service.tls.wrap())
        self._waiting = deque()

    # What the socket's transport reports.

    def connection_made(self, transport):
        """Take the transport."""
        self._transport = transport
        self._connection.connection_made(self)

    def get_buffer(self, hint):
        """Lend the memory to read ciphertext into."""
        return self._serving.ciphertext_buffer

    def buffer_updated(self, Py_ssize_t size):
        """Take ciphertext that has been read into what `get_buffer` lent."""
        # Behind a closure alert nothing counts, and nothing would be decrypted: it would pile up.
        if self._session.state <= OPEN and not self._ended:
            self._take(memoryview(self._serving.ciphertext_buffer)[:size])

    def eof_received(self):
        """Take note of the client's FIN; tell the transport whether to stay open."""
        if self._session.state > OPEN:
            self._ended = True
            self._tell_end()
        elif not self._ended:
            self._take(b"")
        return not self._transport.is_closing()

    def connection_lost(self, error):
        """Take note that the connection is gone."""
        self._waiting.clear()
        self._connection.connection_lost(error)
        self._connection = None

    def pause_writing(self):
        """Take note that bytes wait for the client to read."""
        self._writing_paused = True
        self._connection.pause_writing()

    def resume_writing(self):
        """Take note that the kernel has all ciphertext: there may be more to make."""
        self._writing_paused = False
        self._encrypt_waiting()
        if not self._writing_paused:
            self._connection.resume_writing()

    # Reading.

    cdef int _take(self, data) except -1:
        """Decrypt what has come; whatever is wrong with it, other connections go on."""
        try:
            if data is not None:
                self._session.receive(data)
            self._deliver()
            self._send_made()
        except (RequestRejected, TLSHandshakeFailed) as error:
            self._send_made()
            self._connection.opening_failed(error)
        except OSError as error:
            logger.debug("Connection lost: %s", error)
            self._send_alert()
            self.abort()
        return 0

    cdef int _send_alert(self) except -1:
        """Write what a broken session has to say, as far as the kernel takes it at once."""
        cdef bytes made = self._session.data_to_send()
        if made and not self._transport.is_closing():
            self._transport.write(made)
        return 0

    cdef int _deliver(self) except -1:
        """Hand plaintext over until there is no more of it, or reading is paused."""
        cdef bint opening = self._session.state == HANDSHAKE
        cdef ReceiveBuffer buffer
        cdef Py_ssize_t size = 1
        while size > 0 and not self._reading_paused and not self._ended:
            buffer = self._serving.free_buffer()
            size = self._session.read_into(buffer)
            if opening:  # what ends the handshake goes out before any answer
                self._send_made()
            self._ended = size == END
            if size > 0:
                size = self._gather(buffer, size)
                self._connection.buffer_updated(size)
                if self._failure is not None:
                    raise self._failure
                if self._session.state != OPEN or not self._session.has_more():
                    size = NOTHING
            elif opening and self._session.state == OPEN and self._serving.stopping:
                (<TransportConnection> self._connection).stop()
        if self._ended and not self._reading_paused:
            self._tell_end()
        return 0

    cdef Py_ssize_t _gather(self, ReceiveBuffer buffer, Py_ssize_t filled) except -1:
        """Decrypt what else has come, behind the first record; return the size of all."""
        cdef Py_ssize_t size
        while filled + _record <= buffer.size and self._session.has_more():
            try:
                size = self._session.read_into(memoryview(buffer)[filled:])
            except ConnectionAbortedError as error:  # what came before it counts
                self._failure = error
                break
            if size <= 0:
                self._ended = size == END
                break
            filled += size
        return filled

    cdef int _tell_end(self) except -1:
        if not self._end_told:
            self._end_told = True
            if not self._connection.eof_received():
                self.close()
        return 0

    def pause_reading(self):
        """Deliver nothing more for now."""
        self._reading_paused = True
        self._transport.pause_reading()

    def resume_reading(self):
        """Go on delivering, from the loop's next iteration on."""
        self._reading_paused = False
        self._transport.resume_reading()
        if not self._goes_on_soon:
            self._goes_on_soon = True
            self._serving.loop.call_soon(self._go_on)

    def _go_on(self):
        """Deliver what was held back while reading was paused."""
        self._goes_on_soon = False
        if self._session.state <= OPEN and self._connection is not None:
            self._take(None)

    # Writing.

    def write(self, data):
        """Encrypt and write a buffer, behind what waits."""
        if OPEN <= self._session.state <= PLAIN and self._then == MORE:
            self._waiting.append(data)
            self._waiting_size += len(data)
            self._encrypt_waiting()

    def writelines(self, pieces):
        """Encrypt and write buffers, behind what waits."""
        if OPEN <= self._session.state <= PLAIN and self._then == MORE:
            for data in pieces:
                self._waiting.append(data)
                self._waiting_size += len(data)
            self._encrypt_waiting()

    cdef int _encrypt_waiting(self) except -1:
        """Encrypt as much as the kernel takes; then do what is to follow."""
        try:
            while self._waiting and not self._writing_paused:
                self._encrypt(_at_once)
                self._send_made()
            if not self._waiting and self._then != MORE:
                self._end()
        except OSError as error:
            logger.debug("Connection lost: %s", error)
            self.abort()
        return 0

    cdef int _encrypt(self, Py_ssize_t limit) except -1:
        """Encrypt what waits, up to a number of bytes."""
        cdef Py_ssize_t size
        while self._waiting and limit > 0:
            data = self._waiting[0]
            size = min(len(data), limit)
            if size == len(data):
                self._waiting.popleft()
            else:
                self._waiting[0] = memoryview(data)[size:]
                data = memoryview(data)[:size]
            self._session.write(data)
            self._waiting_size -= size
            limit -= size
        return 0

    cdef int _send_made(self) except -1:
        """Write the ciphertext that there is."""
        cdef bytes made = self._session.data_to_send()
        if made and not self._transport.is_closing():
            self._transport.write(made)
            if self._writing_paused and self._transport.get_write_buffer_size() > MOST_UNSENT:
                raise ConnectionAbortedError("the client does not read what TLS answers")
        return 0

    def get_write_buffer_size(self):
        """Return how many bytes the kernel has not taken."""
        return self._transport.get_write_buffer_size() + self._waiting_size

    def set_write_buffer_limits(self, high=None, low=None):
        """Say when writing is paused."""
        self._transport.set_write_buffer_limits(high, low)

    # The end.

    def can_write_eof(self):
        """Tell whether `write_eof` may be called."""
        return self._transport.can_write_eof()

    def write_eof(self):
        """Send a closure alert and FIN behind what waits; reading goes on."""
        self._end_with(SEND_EOF)

    def close(self):
        """Close behind what waits, with a closure alert, without waiting for the client's."""
        self._end_with(CLOSE)

    def _end_with(self, int last):
        if self._then < last:
            self._then = last
            self._encrypt_waiting()

    cdef int _end(self) except -1:
        self._session.finish()
        self._send_made()
        if self._then == CLOSE:
            self._transport.close()
        else:
            self._transport.write_eof()
        return 0

    def abort(self):
        """Close at once; a closure alert would say that the client has everything."""
        self._session.state = OVER
        self._then = CLOSE
        self._waiting.clear()
        self._transport.abort()

    def is_closing(self):
        """Tell whether nothing more can be written."""
        return self._then == CLOSE or self._transport.is_closing()

    # What it is.

    def set_protocol(self, connection):
        """Carry another connection from now on."""
        self._connection = connection

    def get_extra_info(self, name, default=None):
        """Return what is known of the connection: of its socket, and of TLS."""
        if name == "ssl_object":
            return self._session.ssl_object
        if name == "sslcontext":
            return self._session.ssl_object.context
        if name == "tls_opening":
            return self._session.state == HANDSHAKE
        return self._transport.get_extra_info(name, default)


class TLSProtocol(TLSTransport, asyncio.BufferedProtocol):
    """Be what asyncio's transports take for a protocol with a buffer of its own."""

    __slots__ = ()
