"""C types of websocket_task.pyx."""

from esg.accel.app_task cimport AppTask
from esg.accel.websocket_session cimport WebSocket


cdef class WebSocketTask(AppTask):
    cdef WebSocket session
