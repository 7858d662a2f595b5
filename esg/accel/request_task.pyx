"""The task of one request."""

from esg.accel.connection_task cimport ConnectionTask
from esg.accel.http_request cimport HttpRequest


cdef class RequestTask(ConnectionTask):
    """Run the application for one request."""

    cdef int sweep(self, double now) except -1:
        """Cancel the application if its time is over; again, if it goes on."""
        if self.request.is_overdue(now):
            self.cancel()
        return 0

    cdef int ended(self, object result, object error) except -1:
        """See that the request has an end."""
        ConnectionTask.ended(self, result, error)
        if error is None:
            return self.request.app_returned(result)
        return self.request.app_raised(error)
