"""What a request may ask of the connection it came on: the narrow interface between the two.

Must not know which protocol the connection speaks, nor what its transport is.
"""


cdef class Connection:
    """Carry requests of one client.

    Attributes:
        client, server: the two ends as a scope shows them.
        proxied: the peer is a trusted proxy.
        lost: nothing can be written any more.
        eof: the client has sent FIN.
        writing_paused: bytes wait for the client to read.
        output: what is due; its owner writes it at `written`.
        writer: writes plain responses; for the request that is served.
        app_runs: an application of this connection is taking a step.
    """

    cdef int write(self, list pieces, bint is_final) except -1:
        """Write buffers; the last of a response may wait for others that are due at once."""
        raise NotImplementedError

    cdef int write_content(self, bytes content) except -1:
        """Add content behind what is due, without a copy if it is large."""
        raise NotImplementedError

    cdef int written(self, bint is_final) except -1:
        """Write what is due; after the last of a response, together with what is soon due."""
        raise NotImplementedError

    cdef int read_on(self) except -1:
        """Take note that the application waits for content."""
        raise NotImplementedError

    cdef int stop_waiting(self) except -1:
        """Take note that the application does not wait for content any more."""
        raise NotImplementedError

    cdef bytes take_input(self, Py_ssize_t limit):
        """Take up to `limit` of the bytes that have come; None where there are none."""
        raise NotImplementedError

    cdef bytes peek_input(self, Py_ssize_t limit):
        """Copy up to `limit` of the bytes that have come; None where there are none."""
        raise NotImplementedError

    cdef int skip_input(self, Py_ssize_t size) except -1:
        """Drop as many of the bytes that have come; there must be as many."""
        raise NotImplementedError

    cdef int content_taken(self) except -1:
        """Take note that less content is held than before."""
        raise NotImplementedError

    cdef bint at_eof(self) except -1:
        """Tell whether the client's FIN has come, even if it has not been read yet."""
        raise NotImplementedError

    cdef int drop(self, bint abort) except -1:
        """Close at once; with `abort` so that the client sees a reset."""
        raise NotImplementedError

    cdef int response_over(self) except -1:
        """Take note that the current response is over: the next request may follow."""
        raise NotImplementedError

    cdef int app_waits(self) except -1:
        """Take note that the application waits or has ended; do what has become possible."""
        raise NotImplementedError

    cdef dict offered(self):
        """Return the extensions of all scopes of the connection."""
        raise NotImplementedError
