# cython: binding=False
"""One request: the application's task, its two callables, and how the exchange ends.

The state table is `rules.http_exchange`, which `http_content` and `http_sending` extend by what the
driver keeps beside it: the one moves bytes from the connection to it, the other back.
"""

import logging
from asyncio import CancelledError
from time import perf_counter

from esg.accel.app_calls cimport RequestCall
from esg.accel.connection cimport Connection
from esg.accel.http_content cimport wake
from esg.accel.http_sending cimport HttpSending
from esg.accel.request_scope cimport request_scope
from esg.accel.request_task cimport RequestTask
from esg.accel.rules.persistence cimport after_response, request_persists
from esg.accel.rules.request_head cimport RequestHead
from esg.accel.serving cimport monotonic

from esg.accel.rules.response_head import error_response, plan
from esg.accel.rules.running_time import GOES_ON, NONE
from esg.errors import RequestRejected
from esg.file_part import open_file
from esg.logs import logger

cdef bytes _CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


cdef HttpRequest http_request(Connection connection, RequestHead head):
    """Make the request that a judged head begins."""
    cdef bint persists = request_persists(head.http_version, head.connection)
    cdef HttpRequest request = HttpRequest.__new__(HttpRequest)
    request.begin(head.method, head.content_length, head.expect_continue, plan, None)
    request.open_file = open_file
    request.connection = connection
    request.serving = connection.serving
    request.head = head
    request.keep_alive = persists
    request.missing = head.content_length
    if connection.serving.logs_details:
        request.began = perf_counter()
    if connection.serving.bounds_requests:
        request.running = connection.serving.service.running_time(monotonic())
    return request


cdef class HttpRequest(HttpSending):
    """Serve one request on a connection."""

    cdef int start(self) except -1:
        """Run the application up to where it waits."""
        cdef RequestTask task = RequestTask.__new__(RequestTask)
        task.request = self
        if not self.awaits_continue:
            self.input_arrived()
        scope = request_scope(self.connection, self.head)
        if self.head.forwarded and self.connection.proxied:
            self.serving.proxy_headers.amend(scope)
            self.client = scope["client"]
        self.serving.request_started()
        return task.call_app(self.connection, scope, self.asgi_receive, self.asgi_send)

    # The application's two callables; what they do happens when their result is awaited.

    def asgi_receive(self):
        """Return an awaitable of the next message."""
        cdef RequestCall call = RequestCall.__new__(RequestCall)
        call.owner = self
        return call

    def asgi_send(self, message):
        """Return an awaitable that takes a message."""
        cdef RequestCall call = RequestCall.__new__(RequestCall)
        call.owner = self
        call.sends = True
        call.message = message
        return call

    cdef bint try_receive(self) except -1:
        """Do what may give receive() its event; tell whether it is to look at once."""
        if self.take_continue():
            self.connection.write([_CONTINUE], False)
        try:
            return self.pull()
        except RequestRejected as rejected:
            self._content_rejected(rejected)
        return True

    async def wait_for_event(self):
        """Return the next message, waiting for the client."""
        cdef dict event
        while True:
            event = self.next_event()
            if event is not None:
                return event
            if not self.try_receive():
                await self.wait_for_client()

    cdef int _content_rejected(self, object rejected) except -1:
        """Answer for content that breaks its framing, if nothing has been answered yet."""
        self.serving.service.rejected(self.connection.client, rejected.status, rejected.reason)
        if self.needs_error_response():
            self._answer(rejected.status)
            return self.end_response()
        return self.cut_off()

    # What the connection tells.

    cdef int client_lost(self) except -1:
        """Take note that the connection is gone."""
        self.disconnect()
        self.writing_resumed()
        return wake(self.receivers)

    cdef int next_step(self) except -1:
        """Return what follows on the connection: see `rules.persistence`."""
        return after_response(
            # What the client was told; it may use the connection again even as the server stops.
            self.keep_alive if self.wire is None else self.wire.keep_alive,
            self.request_complete,
            self.unread_is_drainable(),
        )

    # How the exchange ends.

    cdef int app_returned(self, object result) except -1:
        """See that the request has an answer after its application has returned."""
        if result is not None:
            logger.warning("The application returned %r; None was expected", result)
        cdef bint client_left = self.client_left
        if not self.needs_error_response():
            if self.abort():
                self._unfinished(client_left)
        elif client_left:
            logger.debug("The application returned as its client had left")
            self.cut_off()
        else:
            level = logging.DEBUG if self.connection.at_eof() else logging.ERROR
            logger.log(level, "The application returned without a response")
            self._answer(500)  # a client that only ended its request may still read
        return self.end_response()

    cdef int app_raised(self, object error) except -1:
        """See that the request has an end after its application has raised."""
        if self.serving.cancelling:
            self._abort()
            return self.end_response()
        if self.overdue and isinstance(error, CancelledError):
            if self.given_up:
                return 0
            error = self.serving.service.cancelled(self.overdue, self)
        return self._failed(error)

    cdef int _failed(self, object error) except -1:
        status = self.serving.service.app_failed(error, self)
        if self.needs_error_response():
            self._answer(status)
        else:
            self._abort()
        return self.end_response()

    cdef bint is_overdue(self, double now) except -1:
        """Tell whether the application is to be cancelled: see `rules.running_time`."""
        if self.over and not self.given_up:
            return False
        cdef int why = self.running.expired(now, self.client_left or self.connection.at_eof())
        if why != GOES_ON:
            self.overdue = why
        elif not self.given_up:
            self.given_up = True
            self._failed(self.serving.service.cancelled(self.overdue, self))
        return why != NONE

    cdef int _unfinished(self, bint client_left) except -1:
        if client_left:
            logger.debug("The application returned as its client had left")
        else:
            logger.error("The application returned before its response was complete")
        return self.cut_off()

    cdef int _abort(self) except -1:
        return self.cut_off() if self.abort() else 0

    cdef int _answer(self, int status) except -1:
        """Answer in the application's place; the connection closes behind it."""
        self.leave_plain()
        self.answered_by_server(status)
        if not self.connection.lost:
            defaults = self.serving.default_fields()
            self.connection.write([error_response(self.head.method, status, defaults)], True)
        return 0
