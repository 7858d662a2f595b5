# cython: binding=False
"""A request's content, on its way from the connection to the application.

What the client has sent is shown to the exchange only when the application asks for it, so that
the exchange counts what was taken and not what happens to have come. Must not know the response.
"""

from esg.accel.chunked_body cimport ChunkedBody, chunked_body
from esg.accel.connection cimport Connection

from esg.errors import RequestRejected

cdef enum:
    # Raw bytes of a chunked message that are decoded at once, and the first piece of them.
    MOST_DECODED = 65536
    FIRST_PIECE = 512
    # Content of a declared length that is taken at once; more has never come.
    MOST_TAKEN = 1 << 30
    # Pieces of it that are kept as they came: an object costs more than the few bytes in it may.
    MOST_PIECES = 64


cdef class HttpContent(HttpExchange):
    """Read the content of one request.

    Attributes:
        timed_out: the content that the application waits for did not come.
    """

    cdef bint pull(self) except -1:
        """Show the exchange what the client has sent; tell whether that was anything.

        Raises:
            RequestRejected: content that breaks its framing, or does not come.
        """
        cdef Connection connection = self.connection
        if self.request_complete:
            if connection.eof:
                self.leave()
            return connection.eof
        if self._feed():
            return True
        if self.timed_out:
            raise RequestRejected(408, "the content did not come in time")
        if connection.eof:
            connection.drop(False)  # a FIN inside a request (RFC 9112 section 8)
            return True
        connection.read_on()
        return False

    cdef bint _feed(self) except -1:
        """Show the exchange content that has come; tell whether there was any."""
        if self.content_length < 0:
            return self._feed_chunked()
        self._take_input()
        if not self.ready_size:
            return False
        cdef list ready = self.ready
        self.ready = None
        self.ready_size = 0
        self.body_received(ready[0] if len(ready) == 1 else b"".join(ready))
        if not self.missing:
            self.body_complete()
        self.connection.content_taken()
        return True

    cdef bint _feed_chunked(self) except -1:
        if self.chunked is None:
            self.chunked = chunked_body(self.serving.limits)
        if not self._decode(self.chunked):
            return False
        cdef bytes content = self.chunked.take()
        if content:
            self.body_received(content)
        if self.chunked.complete:
            self.body_complete()
        self.connection.content_taken()
        return True

    cdef bint _decode(self, ChunkedBody chunked) except -1:
        """Decode a bounded part of what has come; tell whether there was any.

        In pieces that grow, as what follows a message is copied for nothing.
        """
        cdef Py_ssize_t size = FIRST_PIECE
        cdef Py_ssize_t decoded = 0
        cdef Py_ssize_t taken
        cdef bytes data
        while decoded < MOST_DECODED and not chunked.complete:
            data = self.connection.peek_input(min(size, MOST_DECODED - decoded))
            if data is None:
                break
            taken = chunked.feed(data)
            self.connection.skip_input(taken)
            decoded += taken
            size *= 2
        return decoded > 0

    # What the connection tells.

    cdef bint _wants_input(self) except -1:
        """Tell whether bytes that come are content of this request."""
        return self.missing != 0 and not (self.chunked is not None and self.chunked.complete)

    cdef int input_arrived(self) except -1:
        """Take content of a declared length as it comes; wake whoever waits for it.

        Bytes of the next request wake nobody: who looks, finds nothing and waits again would be
        woken for them for ever.
        """
        if not self._wants_input():
            return 0
        if not self.awaits_continue:  # it stays unread: receive() is still to say 100
            self._take_input()
        return wake(self.receivers)

    cdef int _take_input(self) except -1:
        cdef bytes data
        if self.missing > 0:
            data = self.connection.take_input(min(self.missing, MOST_TAKEN))
            if data is not None:
                self.missing -= len(data)
                self.ready_size += len(data)
                if self.ready is None:
                    self.ready = []
                self.ready.append(data)
                if len(self.ready) == MOST_PIECES:
                    self.ready = [b"".join(self.ready)]
        return 0

    cdef int drain(self, long long limit) except -1:
        """Read unread content away; tell how far that came."""
        try:
            while not self.request_complete:
                if self.received > limit:
                    return DRAIN_FAILED
                if not self._feed():
                    return DRAIN_FAILED if self.connection.eof else DRAIN_WAITS
        except RequestRejected:
            return DRAIN_FAILED
        return DRAIN_DONE

    cdef int eof_arrived(self) except -1:
        """Take note of the client's FIN; receive() finds out what it means."""
        return wake(self.receivers)

    cdef int told_to_end(self) except -1:
        """Take note that the application is to find its client gone."""
        self.leave()
        return wake(self.receivers)

    cdef int content_timed_out(self) except -1:
        """Take note that the content the application waits for does not come."""
        self.timed_out = True
        return wake(self.receivers)

    # Waiting for it.

    async def wait_for_client(self):
        """Wait until there may be an event for receive()."""
        if self.receivers is None:
            self.receivers = []
        await self.wait(self.receivers)

    async def wait(self, list waiting):
        """Wait in a queue of this request until something has changed."""
        future = self.serving.loop.create_future()
        waiting.append(future)
        try:
            await future
        finally:
            if future in waiting:  # cancelled
                waiting.remove(future)
                if waiting is self.receivers and not waiting:
                    self.connection.stop_waiting()


cdef int wake(list waiting) except -1:
    """Let all go on that wait in a queue."""
    if waiting:
        for future in tuple(waiting):
            if not future.done():
                future.set_result(None)
        waiting.clear()
    return 0
