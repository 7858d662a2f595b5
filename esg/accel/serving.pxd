"""C types of serving.pyx."""

from esg.accel.request_parser cimport RequestParser
from esg.accel.rules.deadlines cimport Timeouts
from esg.accel.rules.proxy_headers cimport ProxyHeaders
from esg.accel.rules.request_head cimport HeadLimits, RequestHead
from esg.accel.rules.response_head cimport DefaultFields
from esg.accel.rules.trusted_proxies cimport TrustedProxies


cdef class ReceiveBuffer:
    # Owned by this object; freed with it.
    cdef char *data
    cdef Py_ssize_t size
    # What was read into it last is being served.
    cdef bint in_use


cdef class Serving:
    cdef readonly object service
    cdef readonly object loop
    cdef object app
    cdef object context
    cdef dict state
    cdef dict extensions
    cdef str root_path
    cdef HeadLimits limits
    cdef readonly Timeouts timeouts
    cdef ProxyHeaders proxy_headers
    cdef TrustedProxies _trusted_proxies
    cdef bint _believes_proxies
    cdef ReceiveBuffer receive_buffer
    cdef ReceiveBuffer ciphertext_buffer  # None without TLS
    cdef RequestParser parser
    cdef readonly set connections
    cdef readonly set tasks
    cdef unsigned long thread  # of the event loop
    cdef bint stopping
    cdef bint closing_idle
    cdef bint cancelling
    cdef bint counts_requests
    cdef bint logs_access
    cdef bint logs_details
    cdef bint logs_lines
    cdef bint bounds_requests
    cdef public object on_room  # called when a connection has ended
    cdef readonly bint has_extra_fields
    cdef bint gathers_writes
    # Of WebSockets: whether the codec is our own; bytes of a message; messages that may wait.
    cdef bint speaks_websocket
    cdef bint decodes_frames
    cdef bint compresses
    cdef Py_ssize_t message_limit
    cdef Py_ssize_t queue_limit
    cdef bint awaits_pong
    cdef DefaultFields _defaults
    cdef long long _second
    cdef object _emptied
    # Those of the access log in this turn of the loop; None before the first.
    cdef list _lines

    cdef ReceiveBuffer free_buffer(self)
    cdef bint trusts(self, object client, object server) except -1
    cdef bint believes(self, object client, object server) except -1
    cdef DefaultFields default_fields(self)
    cdef int log_access(
        self, tuple client, RequestHead head, object response, object fields, double began
    ) except -1
    cdef int check_thread(self) except -1
    cdef bint saturated(self) except -1
    cdef void request_started(self) except *
    cdef void request_ended(self) except *
    cdef void connection_closed(self, object connection) except *
    cdef void task_ended(self, object task) except *
    cdef void _tell_emptied(self) except *


cdef double monotonic() noexcept
