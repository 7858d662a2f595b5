"""C types of file_connection.pyx."""

from esg.accel.transport_connection cimport TransportConnection


cdef class FileConnection(TransportConnection):
    # What is still to be written of a response from its first file on; None: no file is sent.
    cdef list files
    # The transport holds bytes of its own.
    cdef bint transport_full
    # A duplicate of the socket's descriptor, which the loop watches for us; -1: it does not.
    cdef int watched

    cdef int _begin_files(self, list pieces) except -1
    cdef bint files_written(self) except -1
    cdef bint _write_files(self) except -1
    cdef bint _write_file(self, object part) except -1
    cdef int _watch(self, object part) except -1
    cdef int _unwatch(self) except -1

    cdef int all_written(self) except -1
