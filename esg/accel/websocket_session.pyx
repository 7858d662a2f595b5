# cython: binding=False
"""One WebSocket: the application's task, its two callables, and what they and the client exchange.

The state table is `rules.websocket_session`, which this extends by what the driver keeps beside
it. What the client sends is decoded here, as far as the session wants it; `websocket_sending` is
the other way.
"""

from collections import namedtuple
from time import perf_counter

from esg.accel.app_waiter cimport AppWaiter, app_waiter
from esg.accel.serving cimport Serving, monotonic
from esg.accel.transport_connection cimport TransportConnection
from esg.accel.websocket_answers cimport HandshakeAnswers
from esg.accel.websocket_calls cimport WebSocketCall
from esg.accel.websocket_codec cimport FrameCodec, frame_codec
from esg.accel.websocket_task cimport WebSocketTask

from esg.accel.rules.scope import websocket_scope
from esg.accel.websocket_codec import codec as own_codec
from esg.accel.websocket_sending import checkpoint
from esg.logs import TRACE, logger
from esg.websocket import Ping

# What the access log is told.
Outcome = namedtuple("Outcome", ("status", "sent"))

cdef enum:
    # The rule's states; a .pxd cannot export a Python constant.
    CONNECTING = 0
    DENYING = 1
    OPEN = 2
    CLOSING = 3
    CLOSED = 4

cdef enum:
    # Its timers.
    NO_TIMER = 0
    PONG = 8

cdef enum:
    # Messages that are received without letting other tasks run.
    RECEIVED_AT_ONCE = 64


cdef WebSocket websocket(TransportConnection connection, RequestHead head, OpeningHandshake handshake):
    """Make the session that a judged opening handshake begins."""
    cdef Serving serving = connection.serving
    cdef FrameCodec frames = None
    if serving.decodes_frames and not logger.isEnabledFor(TRACE):
        codec = frames = frame_codec(connection.input, handshake.deflate, serving.message_limit)
    else:
        codec = serving.service.codec(handshake.deflate, own_codec)
    cdef HandshakeAnswers answers = HandshakeAnswers(serving, handshake)
    cdef WebSocket session = WebSocket(answers, codec, serving.queue_limit, serving.awaits_pong)
    session.connection = connection
    session.serving = serving
    session.frames = frames
    session.head = head
    session.handshake = handshake
    session.answers = answers
    session._receivers = []
    session._writers = []
    if serving.logs_details:
        session.began = perf_counter()
    return session


cdef class WebSocket(WebSocketSending):
    """Serve one WebSocket on a connection.

    Attributes:
        over: the connection is about to be closed.
    """

    cdef int start(self) except -1:
        """Run the application up to where it waits."""
        cdef WebSocketTask task = WebSocketTask.__new__(WebSocketTask)
        task.session = self
        self.serving.request_started()
        self.follow()
        return task.call_app(self.connection, self._scope(), self.asgi_receive, self.asgi_send)

    def _scope(self):
        cdef TransportConnection connection = self.connection
        cdef RequestHead head = self.head
        cdef Serving serving = self.serving
        scope = websocket_scope(
            http_version=head.http_version,
            raw_path=head.raw_path,
            query=head.query,
            headers=head.headers,
            subprotocols=self.handshake.subprotocols,
            scheme="wss" if connection.scheme == "https" else "ws",
            client=connection.client,
            server=connection.server,
            root_path=serving.root_path,
            state=serving.state,
            extensions=connection.offered(),
        )
        self._client = connection.client
        if head.forwarded and connection.proxied:
            serving.proxy_headers.amend(scope)
            self._client = scope["client"]  # the application may change its scope
        return scope

    # The application's two callables; what they do happens when their result is awaited.

    def asgi_receive(self):
        """Return an awaitable of the next message."""
        cdef WebSocketCall call = WebSocketCall.__new__(WebSocketCall)
        call.owner = self
        return call

    def asgi_send(self, message):
        """Return an awaitable that takes a message."""
        cdef WebSocketCall call = WebSocketCall.__new__(WebSocketCall)
        call.owner = self
        call.sends = True
        call.message = message
        return call

    # Receiving. What has come is decoded as far as the session wants it; the rest stays with the
    # connection, which stops reading when that is too much.

    cdef dict try_receive(self):
        """Return the next message, None where receive() has to wait or to let others run."""
        cdef dict event
        if self._received == RECEIVED_AT_ONCE:
            return None
        event = self.next_event()
        if event is None:
            self._app_waits()
            self.read(False)
            event = self.next_event()
        if event is not None:
            self._received += 1
            self.connection.content_taken()
        return event

    async def wait_for_event(self):
        """Return the next message, waiting for the client."""
        cdef dict event
        if self._received == RECEIVED_AT_ONCE:
            await checkpoint()
        while True:
            self._received = 0
            event = self.try_receive()
            if event is not None:
                return event
            waiter = app_waiter(self.serving.loop)
            self._receivers.append(waiter)
            try:
                await waiter
            finally:
                if waiter in self._receivers:  # cancelled
                    self._receivers.remove(waiter)

    cdef int _app_waits(self) except -1:
        cdef list out = self.app_waits()
        self.write(out)
        return self.follow()

    cdef int _wake(self, bint at_once) except -1:
        """Let all go on that wait in receive()."""
        cdef list receivers = self._receivers
        if receivers:
            self._receivers = []
            for waiter in receivers:
                (<AppWaiter> waiter).wake(at_once)
        return 0

    cdef int read(self, bint at_once) except -1:
        """Decode what has come, as far as the session wants it, and let the application have it.

        Args:
            at_once: the loop itself asks: nobody's task is current.
        """
        while self._pong is None and self.wants_event():
            event = self._decode()
            if event is None:
                if self.connection.eof:
                    self.end_of_input()
                    self.follow()
                break
            self._take_event(event)
            if self._receivers:
                self._wake(at_once)
        return 0

    cdef object _decode(self):
        """Return the next event, None where more has to come."""
        if self.frames is not None:
            return self.frames.next_event()
        if self.connection.input.size:
            self._codec.receive_data(self.connection.input.take(self.connection.input.size))
        return self._codec.next_event()

    cdef int _take_event(self, object event) except -1:
        cdef list out = self.take(event)
        if out:
            if self.connection.writing_paused and isinstance(event, Ping):
                self._pong = out  # a client that does not read its pongs is not read either
                return 0
            self.write(out)
        return self.follow()

    cdef bint has_queued(self) except -1:
        """Tell whether messages wait for the application."""
        return len(self._queue) > 0

    cdef Py_ssize_t queued_bytes(self) except -1:
        """Return how many bytes wait for the application."""
        return self._queued_bytes + (0 if self.frames is not None else self._codec.buffered)

    # What the connection tells.

    cdef int data_arrived(self) except -1:
        """Take note that the client has sent something, and let the application have it."""
        if self.timer == PONG:
            self.data_received()
            self.follow()
        return self.read(True)

    cdef int eof_arrived(self) except -1:
        """Take note of the client's FIN, behind what it has sent; a response still reaches it."""
        self.read(False)
        if self.state == CONNECTING:
            self.end_of_input()
        return self.follow()

    cdef int writing_resumed(self) except -1:
        """Take note that the kernel has all that was written."""
        cdef list pong = self._pong
        if pong is not None:
            self._pong = None
            if self.state == OPEN:
                self.write(pong)
            self.read(False)
        return WebSocketSending.writing_resumed(self)

    cdef int client_lost(self) except -1:
        """Take note that the connection is gone."""
        self.lost()
        self.follow()
        WebSocketSending.writing_resumed(self)
        return self._wake(False)

    cdef int timer_ran_out(self) except -1:
        """Do what is due when the session's timer has run out."""
        cdef list out = self.timer_expired()
        self._timer_armed = NO_TIMER
        self.write(out)
        return self.follow()

    cdef int server_stopping(self) except -1:
        """Tell both sides that the server stops."""
        self.write(self.server_stops())
        self.follow()
        self._wake(False)
        return self.connection.app_waits()

    cdef int told_to_end(self) except -1:
        """Let the application find its client gone."""
        if self.state == CLOSED:
            return 0
        self.lost()
        self.follow()
        return self._wake(False)

    cdef int flush_held_start(self) except -1:
        """Write the start of a denial response that was held long enough."""
        cdef bytes head = self.flush_start()
        if head:
            self.write([head])
        return 0

    cdef int follow(self) except -1:
        """Do what the session's state asks of the connection."""
        if self.timer != self._timer_armed:
            self._arm()
        if self.status and not self._answered and self.state != DENYING:
            self._log_answer()
        if self.state == CLOSED and not self.over:
            self.over = True
            self._wake(False)
            self.connection.response_over()
        return 0

    cdef int _arm(self) except -1:
        self._timer_armed = self.timer
        self.connection.expired_once = False
        if self.timer == NO_TIMER:
            self.connection.deadlines.stop_reading()
        else:
            self.connection.deadlines.arm(self.timer, monotonic())
        return 0

    cdef int _log_answer(self) except -1:
        self._answered = True
        if self.serving.logs_access:
            outcome = Outcome(self.status, self.answers.sent())
            fields = self.answers.headers()
            self.serving.log_access(self._client, self.head, outcome, fields, self.began)
        return 0

    # How the application ends.

    cdef int app_returned(self, object result) except -1:
        """See that the WebSocket has an end after its application has returned."""
        if result is not None:
            logger.warning("The application returned %r; None was expected", result)
        if self.state == CONNECTING:
            logger.error("The application returned without an answer to the handshake")
        return self._app_over(False)

    cdef int app_raised(self, object error) except -1:
        """See that the WebSocket has an end after its application has raised."""
        if self.serving.cancelling:
            self.connection.drop(False)
        else:
            self.serving.service.app_failed(error, self)
        return self._app_over(True)

    cdef int _app_over(self, bint raised) except -1:
        self.serving.request_ended()
        cdef list out = self.app_ended(raised)
        if not self.connection.lost:
            self.write(out)
        return self.follow()
