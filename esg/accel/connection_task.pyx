"""The task of an application: what the connection it serves is to know of its steps."""

from cpython.contextvars cimport PyContext_Copy

from esg.accel.serving cimport Serving

cdef extern from "Python.h":
    bint PyCoro_CheckExact(object value)


cdef class ConnectionTask(AppTask):
    """Run the application for something that came on a connection."""

    cdef int call_app(
        self, Connection connection, object scope, object receive, object send
    ) except -1:
        """Run the application up to where it waits."""
        cdef Serving serving = connection.serving
        self.connection = connection
        failure = None
        try:
            coro = serving.app(scope, receive, send)
        except BaseException as error:
            failure = error
        if failure is not None:
            return self.ended(None, failure)
        if not PyCoro_CheckExact(coro):
            coro = _awaited(coro)
        return self.start(serving.loop, coro, PyContext_Copy(serving.context))

    cdef int resume(self, object error) except -1:
        """Take another step; then the connection goes on with what has become possible."""
        cdef Connection connection = self.connection
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
        self.connection.serving.tasks.add(self)
        return 0

    cdef int ended(self, object result, object error) except -1:
        """Be forgotten by the server."""
        if self._suspended:
            self.connection.serving.task_ended(self)
        return 0


async def _awaited(awaitable):
    """Await whatever an application's call has returned; raise where that cannot be."""
    return await awaitable
