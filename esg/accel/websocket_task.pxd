"""C types of websocket_task.pyx."""

from esg.accel.connection_task cimport ConnectionTask
from esg.accel.websocket_session cimport WebSocket


cdef class WebSocketTask(ConnectionTask):
    cdef WebSocket session
