"""The task of one request: what the request's connection is to know of its steps."""

from esg.accel.app_task cimport AppTask
from esg.accel.connection cimport Connection
from esg.accel.http_request cimport HttpRequest


cdef class RequestTask(AppTask):
    """Run the application for one request."""

    cdef int resume(self, object error) except -1:
        """Take another step; then the connection goes on with what has become possible."""
        cdef Connection connection = self.request.connection
        cdef bint nested = connection.app_runs
        connection.app_runs = True
        try:
            AppTask.resume(self, error)
        finally:
            connection.app_runs = nested
            if not nested:
                connection.app_waits()
        return 0

    cdef int sweep(self, double now) except -1:
        """Cancel the application if its time is over; again, if it goes on."""
        if self.request.is_overdue(now):
            self.cancel()
        return 0

    cdef int suspended(self) except -1:
        """Be known to the server, which ends when its applications have."""
        self.request.serving.tasks.add(self)
        return 0

    cdef int ended(self, object result, object error) except -1:
        """See that the request has an end."""
        cdef HttpRequest request = self.request
        if self._suspended:
            request.serving.task_ended(self)
        if error is None:
            return request.app_returned(result)
        return request.app_raised(error)
