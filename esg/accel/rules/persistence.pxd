"""C types of esg/rules/persistence.py."""


cpdef bint request_persists(str http_version, tuple connection) except -1
cpdef int after_response(bint keep_alive, bint request_complete, bint can_drain) except -1
