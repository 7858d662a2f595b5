"""The task of one WebSocket."""

from esg.accel.connection_task cimport ConnectionTask
from esg.accel.websocket_session cimport WebSocket


cdef class WebSocketTask(ConnectionTask):
    """Run the application for one WebSocket."""

    cdef int ended(self, object result, object error) except -1:
        """See that the WebSocket has an end."""
        ConnectionTask.ended(self, result, error)
        if error is None:
            return self.session.app_returned(result)
        return self.session.app_raised(error)
