# cython: binding=False
"""One request: the application's receive() and send(), and how it ends.

The state table is `rules.http_exchange`, which this extends by what the driver keeps beside it;
here bytes move between it and the connection. What the client has sent is shown to the exchange
only when the application asks for it, so that the exchange counts what was taken and not what
happens to have come.
"""

import logging

from cpython.bytes cimport PyBytes_CheckExact, PyBytes_GET_SIZE
from cpython.contextvars cimport PyContext_Copy
from cpython.dict cimport PyDict_CheckExact

from esg.accel.app_calls cimport AppCall
from esg.accel.chunked_body cimport chunked_body
from esg.accel.connection cimport Connection
from esg.accel.rules cimport http_exchange as exchange_rule
from esg.accel.rules.http_exchange cimport HttpExchange
from esg.accel.rules.persistence cimport after_response, request_persists
from esg.accel.rules.request_head cimport RequestHead
from esg.accel.rules.response_head cimport Http1Response
from esg.accel.output_buffer cimport OutputBuffer
from esg.accel.request_task cimport RequestTask
from esg.accel.response_writer cimport ResponseWriter
from esg.accel.rules.scope cimport decode_path
from esg.accel.serving cimport Serving

from esg.access_log import log_access
from esg.accel.rules.http_exchange import DRAIN_LIMIT
from esg.accel.rules.response_head import error_response, plan
from esg.accel.rules.scope import http_scope
from esg.asgi import ASGI_VERSION, HTTP_SPEC_VERSION
from esg.errors import ClientDisconnected, MessageError, RequestRejected, is_disconnect_of
from esg.logs import logger

cdef extern from "Python.h":
    bint PyCoro_CheckExact(object value)

cdef bytes _CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

# The rule's states; a .pxd cannot export a Python constant.
cdef enum:
    AWAITING_START = 0
    START_HELD = 1
    STREAMING = 2
    COMPLETE = 3
    ABORTED = 4

cdef enum:
    UNTIL_CLOSE = 3
    # A send that need not wait still lets other tasks run after this many bytes.
    YIELD_EVERY = 65536
    # What a message counts besides its bytes.
    SEND_COST = 4096
    # Raw bytes of a chunked message that are decoded at once.
    CHUNKED_PIECE = 65536
    # Content of a declared length that is taken at once; more has never come.
    MOST_TAKEN = 1 << 30
    # Pieces of it that are kept as they came: an object costs more than the few bytes in it may.
    MOST_PIECES = 64


cdef HttpRequest http_request(Connection connection, RequestHead head):
    """Make the request that a judged head begins."""
    cdef bint persists = request_persists(head.http_version, head.connection)
    cdef HttpRequest request = HttpRequest(
        head.method, head.content_length, head.expect_continue, plan, None
    )
    request.connection = connection
    request.serving = connection.serving
    request.head = head
    request.keep_alive = persists
    request.missing = head.content_length
    request.ready = []
    request.receivers = []
    request.writers = []
    return request


cdef class HttpRequest(HttpExchange):
    """Serve one request on a connection.

    Attributes:
        over: the response is over; the connection is another request's.
        timed_out: the content that the application waits for did not come.
    """

    cdef int start(self) except -1:
        """Run the application up to where it waits."""
        cdef RequestTask task = RequestTask.__new__(RequestTask)
        task.request = self
        if not self.awaits_continue:
            self.input_arrived()
        scope = self._scope()
        self.serving.request_started()
        failure = None
        try:
            coro = self.serving.app(scope, self.asgi_receive, self.asgi_send)
        except BaseException as error:
            failure = error
        if failure is not None:
            return self.app_raised(failure)
        if not PyCoro_CheckExact(coro):
            coro = _awaited(coro)
        return task.start(self.serving.loop, coro, PyContext_Copy(self.serving.context))

    cdef object _scope(self):
        cdef RequestHead head = self.head
        cdef Connection connection = self.connection
        cdef Serving serving = self.serving
        if connection.scope_base is not None and head.http_version == "1.1":
            return self._plain_scope()
        scope = http_scope(
            method=head.method,
            http_version=head.http_version,
            raw_path=head.raw_path,
            query=head.query,
            headers=head.headers,
            scheme=connection.scheme,
            client=connection.client,
            server=connection.server,
            root_path=serving.root_path,
            state=serving.state,
            extensions=serving.extensions,
        )
        if head.http_version == "1.1":
            connection.scope_base = scope.copy()
            # Nothing of this request stays with the connection.
            connection.scope_base.update(dict.fromkeys(("headers", "state", "extensions")))
        return scope

    cdef dict _plain_scope(self):
        """Build a scope on what the connection's first had: all that is mutable is new."""
        cdef RequestHead head = self.head
        cdef Serving serving = self.serving
        cdef dict scope = self.connection.scope_base.copy()
        cdef dict extensions = {}
        scope["asgi"] = {"version": ASGI_VERSION, "spec_version": HTTP_SPEC_VERSION}
        scope["method"] = head.method
        scope["path"] = decode_path(head.raw_path, serving.root_path)
        scope["raw_path"] = head.raw_path
        scope["query_string"] = head.query
        scope["headers"] = head.headers
        scope["state"] = serving.state.copy()
        for name, value in serving.extensions.items():
            extensions[name] = (<dict> value).copy()
        scope["extensions"] = extensions
        return scope

    # The application's two callables; what they do happens when their result is awaited.

    def asgi_receive(self):
        """Return an awaitable of the next message."""
        cdef AppCall call = AppCall.__new__(AppCall)
        call.request = self
        return call

    def asgi_send(self, message):
        """Return an awaitable that takes a message."""
        cdef AppCall call = AppCall.__new__(AppCall)
        call.request = self
        call.sends = True
        call.message = message
        return call

    cdef bint try_receive(self) except -1:
        """Do what may give receive() its event; tell whether it is to look at once."""
        if self.take_continue():
            self.connection.write([_CONTINUE], False)
        return self._pull()

    async def wait_for_event(self):
        """Return the next message, waiting for the client."""
        cdef dict event
        while True:
            event = self.next_event()
            if event is not None:
                return event
            if not self.try_receive():
                await self._wait(self.receivers)

    async def _wait(self, list waiting):
        """Wait in a queue of this request until something has changed."""
        future = self.serving.loop.create_future()
        waiting.append(future)
        try:
            await future
        finally:
            if future in waiting:  # cancelled
                waiting.remove(future)
                if waiting is self.receivers and not waiting:
                    self.connection.stop_waiting()

    cdef object try_send(self, object message):
        """Take a message; return what remains to be awaited, None where nothing does."""
        if self.turns or (self.connection.writing_paused and self.state < COMPLETE):
            return self._send_in_turn(message)
        return self._take(message)

    cdef object _take(self, object message):
        """Take a message whose turn it is."""
        cdef list out
        if self.serving.stopping:
            self.keep_alive = False
        if PyDict_CheckExact(message) and self._send_plainly(<dict> message):
            return self._written() if self.state != START_HELD else None
        self._leave_plain()
        if self.serving.stopping:
            self.wire.keep_alive = False
        self.serving.default_fields()  # Date is that of the response, not of the request
        try:
            out = self.send(message)
        except (MessageError, TypeError):
            if self.state == ABORTED:
                self._drop()
            raise
        if self.late_messages:
            self.serving.service.late_message()
        if out:
            return self._write(out)
        if self.state == COMPLETE:
            self._response_over()
        return None

    cdef object _write(self, list out):
        cdef Connection connection = self.connection
        if connection.lost:
            raise ClientDisconnected("the client has disconnected", self)
        for piece in out:
            self.unyielded += len(piece)
        connection.write(out, self.state == COMPLETE)
        return self._written()

    cdef object _written(self):
        """Return what remains to be awaited after bytes were written, None where nothing does."""
        if self.connection.writing_paused:
            return self._wait_for_client()
        if self.state == COMPLETE:
            self._response_over()
            return None
        self.unyielded += SEND_COST
        if self.unyielded > YIELD_EVERY:
            self.unyielded = 0
            return _checkpoint()
        return None

    # The plain response: what the rule would do with it, done in place.

    cdef bint _send_plainly(self, dict message) except -1:
        """Take a message if it is one of a plain response; else leave it to the rule."""
        cdef object kind = message.get("type")
        if self.disconnected or self.connection.lost:
            return False
        if kind == "http.response.body":
            return self.plain and self.state < COMPLETE and self._send_body_plainly(message)
        if kind == "http.response.start":
            return self.state == AWAITING_START and self._start_plainly(message)
        return False

    cdef bint _start_plainly(self, dict message) except -1:
        cdef object status = message.get("status")
        cdef object headers = message.get("headers", ())
        if self.wire is not None or self.method == "HEAD" or self.serving.has_extra_fields:
            return False
        if self.head.http_version != "1.1" or not self.connection.writer.start(status, headers):
            return False
        self.plain = True
        self.plain_fields = tuple(headers)
        self.status = status
        self.state = START_HELD
        return True

    cdef bint _send_body_plainly(self, dict message) except -1:
        cdef ResponseWriter writer = self.connection.writer
        cdef OutputBuffer out = self.connection.output
        cdef object body = message.get("body", b"")
        cdef object more = message.get("more_body", False)
        cdef bint final = more is False
        cdef Py_ssize_t size
        if not PyBytes_CheckExact(body) or not (final or more is True):
            return False
        size = PyBytes_GET_SIZE(body)
        if writer.left >= 0:
            if size > writer.left or (final and size != writer.left):
                return False
            writer.left -= size
        if final and not self.request_complete and not self.unread_is_drainable():
            self.keep_alive = False  # while the head can still say so
        if self.state == START_HELD:
            writer.head(out, self.serving.default_fields(), self.keep_alive)
        self.state = COMPLETE if final else STREAMING
        writer.before(out, size)
        self.connection.write_content(<bytes> body)
        writer.after(out, size, final)
        self.unyielded += size
        self.connection.written(final)
        return True

    cdef int _leave_plain(self) except -1:
        """Give the rule the response, at whatever state it is."""
        cdef Http1Response wire
        if self.wire is not None:
            return 0
        wire = Http1Response(self.head.http_version, self.keep_alive, self.serving.default_fields())
        self.wire = wire
        self._wire = wire
        if self.plain and self.state < COMPLETE:
            self.plain = False
            self._remaining = self.connection.writer.left
            wire.start(plan(self.method, self.status, self.plain_fields))
        return 0

    async def _send_in_turn(self, message):
        """Take a message once those of earlier calls are taken and written.

        So messages are taken in the order of their calls, and one that is cancelled meanwhile
        leaves nothing behind.
        """
        turn = self.serving.loop.create_future()
        if self.turns is None:
            self.turns = []
        self.turns.append(turn)
        self._next_turn()
        try:
            await turn
            rest = self._take(message)
        finally:
            self.turns.remove(turn)
            self._next_turn()
        if rest is not None:
            await rest

    cdef int _next_turn(self) except -1:
        """Let the first of the sends that wait take its message, if all before it is written."""
        if self.turns and (self.state >= COMPLETE or not self.connection.writing_paused):
            turn = self.turns[0]
            if not turn.done():
                turn.set_result(None)
        return 0

    async def _wait_for_client(self):
        """Wait until the kernel has all that was written."""
        if self.connection.writing_paused:
            await self._wait(self.writers)
        if self.connection.lost:
            raise ClientDisconnected("the client has disconnected", self)
        if self.state == COMPLETE:
            self._response_over()

    # The request's content.

    cdef bint _pull(self) except -1:
        """Show the exchange what the client has sent; tell whether that was anything."""
        cdef Connection connection = self.connection
        if self.request_complete:
            if connection.eof:
                self.leave()
            return connection.eof
        try:
            if self._feed():
                return True
            if self.timed_out:
                raise RequestRejected(408, "the content did not come in time")
        except RequestRejected as rejected:
            self._content_rejected(rejected)
            return True
        if connection.eof:
            connection.drop(False)  # a FIN inside a request (RFC 9112 section 8)
            return True
        connection.read_on()
        return False

    cdef bint _feed(self) except -1:
        """Show the exchange content that has come; tell whether there was any."""
        if self.content_length < 0:
            return self._feed_chunked()
        self._take_input()
        if not self.ready_size:
            return False
        cdef list ready = self.ready
        self.ready = []
        self.ready_size = 0
        self.body_received(ready[0] if len(ready) == 1 else b"".join(ready))
        if not self.missing:
            self.body_complete()
        self.connection.content_taken()
        return True

    cdef bint _feed_chunked(self) except -1:
        cdef bytes data = self.connection.take_input(CHUNKED_PIECE)
        cdef Py_ssize_t taken
        if data is None:
            return False
        if self.chunked is None:
            self.chunked = chunked_body(self.serving.limits)
        taken = self.chunked.feed(data)
        if taken < len(data):
            self.connection.give_back(data[taken:])
        cdef bytes content = self.chunked.take()
        if content:
            self.body_received(content)
        if self.chunked.complete:
            self.body_complete()
        self.connection.content_taken()
        return True

    cdef int _content_rejected(self, object rejected) except -1:
        """Answer for content that breaks its framing, if nothing has been answered yet."""
        self.serving.service.rejected(self.connection.client, rejected.status, rejected.reason)
        if self.needs_error_response():
            self._answer(rejected.status)
            return self._response_over()
        return self._drop()

    # What the connection tells.

    cdef bint wants_input(self) except -1:
        """Tell whether bytes that come are content of this request."""
        return self.missing != 0 and not (self.chunked is not None and self.chunked.complete)

    cdef int input_arrived(self) except -1:
        """Take content of a declared length as it comes; wake whoever waits for it.

        Bytes of the next request wake nobody: who looks, finds nothing and waits again would be
        woken for them for ever.
        """
        if not self.wants_input():
            return 0
        if not self.awaits_continue:  # it stays unread: receive() is still to say 100
            self._take_input()
        return _wake(self.receivers)

    cdef int _take_input(self) except -1:
        cdef bytes data
        if self.missing > 0:
            data = self.connection.take_input(min(self.missing, MOST_TAKEN))
            if data is not None:
                self.missing -= len(data)
                self.ready_size += len(data)
                self.ready.append(data)
                if len(self.ready) == MOST_PIECES:
                    self.ready = [b"".join(self.ready)]
        return 0

    cdef int drain(self, long long limit) except -1:
        """Read unread content away; tell how far that came."""
        try:
            while not self.request_complete:
                if self.received > limit:
                    return DRAIN_FAILED
                if not self._feed():
                    return DRAIN_FAILED if self.connection.eof else DRAIN_WAITS
        except RequestRejected:
            return DRAIN_FAILED
        return DRAIN_DONE

    cdef int eof_arrived(self) except -1:
        """Take note of the client's FIN; receive() finds out what it means."""
        return _wake(self.receivers)

    cdef int client_lost(self) except -1:
        """Take note that the connection is gone."""
        self.disconnect()
        self.writing_resumed()
        return _wake(self.receivers)

    cdef int told_to_end(self) except -1:
        """Take note that the application is to find its client gone."""
        self.leave()
        return _wake(self.receivers)

    cdef int content_timed_out(self) except -1:
        """Take note that the content the application waits for does not come."""
        self.timed_out = True
        return _wake(self.receivers)

    cdef int writing_resumed(self) except -1:
        """Take note that the kernel has all that was written."""
        _wake(self.writers)
        return self._next_turn()

    cdef bint start_is_held(self) except -1:
        """Tell whether a response's start waits for its first content."""
        return self.state == START_HELD

    cdef int flush_held_start(self) except -1:
        """Write a start that was held long enough."""
        self._leave_plain()
        cdef bytes head = self.flush_start()
        if head:
            self.connection.write([head], False)
        return 0

    cdef int next_step(self) except -1:
        """Return what follows on the connection: see `rules.persistence`."""
        return after_response(
            (self.keep_alive if self.wire is None else self.wire.keep_alive)
            and not self.serving.stopping,
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
            self._drop()
        else:
            level = logging.DEBUG if self.connection.at_eof() else logging.ERROR
            logger.log(level, "The application returned without a response")
            self._answer(500)  # a client that only ended its request may still read
        return self._response_over()

    cdef int app_raised(self, object error) except -1:
        """See that the request has an end after its application has raised."""
        if self.serving.cancelling:
            self._abort()
            return self._response_over()
        if is_disconnect_of(error, self):
            logger.debug("The application ended with its client's disconnect", exc_info=error)
        else:
            logger.error("Exception in the application", exc_info=error)
        if self.needs_error_response():
            self._answer(500)
        else:
            self._abort()
        return self._response_over()

    cdef int _unfinished(self, bint client_left) except -1:
        if client_left:
            logger.debug("The application returned as its client had left")
        else:
            logger.error("The application returned before its response was complete")
        return self._drop()

    cdef int _abort(self) except -1:
        return self._drop() if self.abort() else 0

    cdef int _drop(self) except -1:
        """Close the connection of a response that stays incomplete.

        Where only the connection's end tells the end of the content, a reset must tell that it
        is not the end (RFC 9112 section 8).
        """
        return self.connection.drop(self.wire is not None and self.wire.framing == UNTIL_CLOSE)

    cdef int _answer(self, int status) except -1:
        """Answer in the application's place; the connection closes behind it."""
        self._leave_plain()
        self.answered_by_server(status)
        if not self.connection.lost:
            defaults = self.serving.default_fields()
            self.connection.write([error_response(self.head.method, status, defaults)], True)
        return 0

    cdef int _response_over(self) except -1:
        """Hand the connection to the next request, once."""
        if self.over:
            return 0
        self.over = True
        self.serving.request_ended()
        if self.status and self.serving.logs_access:
            log_access(self.connection.client, self.head, self.status)
        _wake(self.receivers)
        return self.connection.response_over()


async def _awaited(awaitable):
    """Await whatever an application's call has returned; raise where that cannot be."""
    return await awaitable


async def _checkpoint():
    """Let other tasks run."""
    await _Yield()


class _Yield:
    __slots__ = ()

    def __await__(self):
        yield


cdef int _wake(list waiting) except -1:
    if waiting:
        for future in tuple(waiting):
            if not future.done():
                future.set_result(None)
        waiting.clear()
    return 0
