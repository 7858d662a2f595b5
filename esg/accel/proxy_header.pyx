# cython: binding=False
"""The PROXY protocol header that a connection begins with, before TLS and HTTP.

What it is, `rules.proxy_protocol` says. Once it has come, the connection's own protocol takes the
transport over, with the bytes that came behind the header.
"""

import asyncio

from esg.accel.rules.proxy_protocol cimport ProxyHeader, read
from esg.accel.serving cimport Serving
from esg.accel.transport_connection cimport CLOSED, LINGERING, TransportConnection

from esg.accel.rules.proxy_protocol import LONGEST
from esg.accel.transport_socket import is_readable
from esg.errors import ProxyHeaderRejected

cdef Py_ssize_t _longest = LONGEST


cdef class ProxyHeaderReader(TransportConnection):
    """Read the header of one connection.

    Args:
        serving: what all connections share.
        protocol: what goes on with the transport.
        connection: what is told the ends of the connection: `protocol`, or what is inside of it.
    """

    def __init__(self, Serving serving, protocol, TransportConnection connection):
        TransportConnection.__init__(self, serving)
        self._protocol = protocol
        self._connection = connection

    # What the transport reports. No exception leaves: the loop would only log it.

    def connection_made(self, transport):
        """Take the transport, if a trusted proxy is at its other end."""
        try:
            TransportConnection.connection_made(self, transport)
            if not self.serving.trusts(self.client, self.server):
                self._reject("its peer is no trusted proxy (--forwarded-allow-ips)")
            elif self.serving.closing_idle:
                self.stop()
        except BaseException:
            self.internal_error()

    def buffer_updated(self, Py_ssize_t size):
        """Take bytes that have been read into what `get_buffer` lent."""
        cdef ProxyHeader header
        try:
            if self.phase < LINGERING:
                self.input.add(self.serving.receive_buffer.data, size)
                header = read(self.input.first(_longest))
                if header is None:
                    self.input.keep()
                else:
                    self._hand_over(header)
        except ProxyHeaderRejected as rejected:
            self._reject(str(rejected))
        except BaseException:
            self.internal_error()

    def eof_received(self):
        """Take note that nothing more comes."""
        try:
            if self.input.size:
                self._reject("it ends early")
            else:
                self.drop(False)
        except BaseException:
            self.internal_error()
        return False

    cdef int _hand_over(self, ProxyHeader header) except -1:
        """Let the protocol go on, which has one time for the header and its own first head."""
        cdef TransportConnection connection = self._connection
        cdef object protocol = self._protocol
        cdef object transport = self.transport
        self.input.skip(header.size)
        rest = memoryview(self.input.take(self.input.size))
        self._connection = None
        self._protocol = None
        self.transport = None
        self.phase = CLOSED
        self.lost = True
        connection.told = header
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        connection.deadlines = self.deadlines
        self.serving.connections.discard(self)
        while rest:
            room = memoryview(protocol.get_buffer(-1))
            size = min(len(rest), len(room))
            room[:size] = rest[:size]
            protocol.buffer_updated(size)
            rest = rest[size:]
        if self.serving.closing_idle and connection.transport is not None:
            connection.stop()
        return 0

    cdef int _reject(self, str reason) except -1:
        self.serving.service.proxy_header_rejected(self.client, reason)
        return self.drop(False)

    # What the server tells.

    cdef int sweep(self, double now) except -1:
        """Close where the header has not come in time."""
        if not self.deadlines.expired(now):
            return 0
        if not self.expired_once and is_readable(self.transport):
            self.expired_once = True  # it came in time, while the loop was blocked
            return 0
        return self._reject("it does not come in time")

    cdef int stop(self) except -1:
        """Close, unless a connection has begun that is still to be served."""
        if not self.input.size and not is_readable(self.transport):
            return self.drop(False)
        return 0

    cdef int told_to_end(self) except -1:
        return 0


class ProxyHeaderProtocol(ProxyHeaderReader, asyncio.BufferedProtocol):
    """Be what asyncio's transports take for a protocol with a buffer of its own."""

    __slots__ = ()
