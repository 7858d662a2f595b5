"""C types of websocket_calls.pyx."""

from esg.accel.app_calls cimport AppCall


cdef class WebSocketCall(AppCall):
    pass
