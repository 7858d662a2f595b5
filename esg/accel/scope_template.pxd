"""C types of scope_template.pyx."""

from esg.accel.rules.request_head cimport RequestHead


cdef class ScopeTemplate:
    # As they were made; no application ever sees these.
    cdef dict _asgi
    cdef dict _extensions
    cdef tuple _asgi_entries
    cdef tuple _extensions_entries
    # What the next scope gets; `_base` has both, too.
    cdef dict _lent_asgi
    cdef dict _lent_extensions
    cdef dict _base
    # What `_base` says of the last request line.
    cdef str _method
    cdef bytes _raw_path
    cdef bytes _query

    cdef dict scope(self, RequestHead head, dict state, str root_path)
    cdef int _renew(self) except -1


cdef ScopeTemplate scope_template(dict scope)
