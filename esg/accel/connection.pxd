"""What a request may ask of the connection it came on, whichever protocol that speaks."""

from esg.accel.output_buffer cimport OutputBuffer
from esg.accel.response_writer cimport ResponseWriter
from esg.accel.scope_template cimport ScopeTemplate
from esg.accel.serving cimport Serving


cdef class Connection:
    cdef Serving serving
    cdef readonly object client
    cdef readonly object server
    cdef str scheme
    cdef bint proxied
    # Those of all its scopes, once there is one.
    cdef dict extensions
    # Makes the scopes of its plain requests, after the first.
    cdef ScopeTemplate scopes
    cdef bint lost
    cdef bint eof
    cdef bint writing_paused
    cdef bint app_runs
    cdef OutputBuffer output
    cdef ResponseWriter writer

    cdef int write(self, list pieces, bint is_final) except -1
    cdef int write_content(self, bytes content) except -1
    cdef int written(self, bint is_final) except -1
    cdef int read_on(self) except -1
    cdef int stop_waiting(self) except -1
    cdef bytes take_input(self, Py_ssize_t limit)
    cdef bytes peek_input(self, Py_ssize_t limit)
    cdef int skip_input(self, Py_ssize_t size) except -1
    cdef int content_taken(self) except -1
    cdef bint at_eof(self) except -1
    cdef int drop(self, bint abort) except -1
    cdef int response_over(self) except -1
    cdef int app_waits(self) except -1
    cdef dict offered(self)
