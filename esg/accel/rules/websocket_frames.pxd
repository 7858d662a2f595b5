"""C types of esg/rules/websocket_frames.py."""

cimport cython

cdef int _FIN
cdef int _RSV1
cdef int _RESERVED_BITS
cdef int _OPCODE
cdef int _MASKED
cdef int _LENGTH
cdef int _KEY_SIZE
cdef int _MAX_HEADER
cdef int _MAX_CONTROL
cdef unsigned long long _MAX_LENGTH


cdef class FrameRules:
    cdef bint _compression
    cdef bint _rsv1
    cdef long long _max_size
    cdef long long _max_compressed
    cdef public int opcode
    cdef public bint final
    cdef public long long length
    cdef public int message_opcode
    cdef public bint compressed
    cdef public bint in_message
    cdef public long long message_size

    @cython.locals(opcode=int, reserved=int)
    cpdef void begin(self, int first, int second) except *
    @cython.locals(continues=bint, compressed=bint, limit=cython.longlong)
    cpdef void check_length(self, int form, unsigned long long length) except *
    cpdef void commit(self) except *
    @cython.locals(available=Py_ssize_t, form=int, size=Py_ssize_t)
    cpdef Py_ssize_t read_header(self, object data, Py_ssize_t position) except -1


cdef class FrameScanner:
    cdef FrameRules _rules
    cdef bytearray _header
    cdef long long _remaining
    cdef public object failure

    @cython.locals(position=Py_ssize_t, skipped=cython.longlong)
    cpdef Py_ssize_t scan(self, bytes data) except -1
    @cython.locals(kept=Py_ssize_t, size=Py_ssize_t)
    cdef Py_ssize_t _scan_header(self, bytes data, Py_ssize_t position) except -1


cpdef object read_close(bytes payload)
cpdef bint is_text_so_far(bytes rest) except -1
cpdef bytes header(int opcode, long long size, bint compressed)
cpdef list frame(int opcode, object payload, bint compressed=*)
cpdef list close_frame(int code, str reason)
