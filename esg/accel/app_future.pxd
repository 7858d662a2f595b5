"""C types of app_future.pyx."""

cdef enum:
    PENDING = 0
    CANCELLED = 1
    FINISHED = 2


cdef class AppFuture:
    cdef object __weakref__
    cdef readonly object _loop
    cdef int _status
    # Pairs of a callback and its context, None where there are none: asyncio's repr and anyio
    # read them.
    cdef readonly list _callbacks
    cdef readonly object _result
    cdef readonly object _exception
    cdef readonly object _cancel_message
    cdef public bint _asyncio_future_blocking

    cdef int finish(self, int status) except -1
