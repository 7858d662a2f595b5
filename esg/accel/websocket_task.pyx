"""The task of one WebSocket: what its connection is to know of its steps."""

from esg.accel.app_task cimport AppTask
from esg.accel.connection cimport Connection
from esg.accel.websocket_session cimport WebSocket


cdef class WebSocketTask(AppTask):
    """Run the application for one WebSocket."""

    cdef int resume(self, object error) except -1:
        """Take another step; then the connection goes on with what has become possible."""
        cdef Connection connection = self.session.connection
        cdef bint nested = connection.app_runs
        connection.app_runs = True
        try:
            AppTask.resume(self, error)
        finally:
            connection.app_runs = nested
            if not nested:
                connection.app_waits()
        return 0

    cdef int suspended(self) except -1:
        """Be known to the server, which ends when its applications have."""
        self.session.serving.tasks.add(self)
        return 0

    cdef int ended(self, object result, object error) except -1:
        """See that the WebSocket has an end."""
        cdef WebSocket session = self.session
        if self._suspended:
            session.serving.task_ended(self)
        if error is None:
            return session.app_returned(result)
        return session.app_raised(error)
