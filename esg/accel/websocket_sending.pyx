# cython: binding=False
"""A WebSocket's messages, on their way from the application to the connection.

They are taken in the order of their calls. The state table is `rules.websocket_session`'s; plain
messages go by it without being asked. Must not know the application's task.
"""

from cpython.bytes cimport PyBytes_CheckExact
from cpython.dict cimport PyDict_CheckExact
from cpython.unicode cimport PyUnicode_CheckExact

from esg.accel.http_content cimport wake

from esg.errors import ClientDisconnected

cdef enum:
    # The rule's states; a .pxd cannot export a Python constant.
    OPEN = 2
    CLOSED = 4

cdef enum:
    # A call that need not wait still lets other tasks run after this many bytes.
    YIELD_EVERY = 65536
    # What a call counts besides its bytes.
    CALL_COST = 1024


cdef class WebSocketSending(WebSocketSession):
    """Send what the application has for one client."""

    cdef int follow(self) except -1:
        """Do what the session's state asks of the connection."""
        raise NotImplementedError

    def read_on(self):
        """Go on with what came before."""
        self.connection.app_waits()

    cdef object try_send(self, object message):
        """Take a message; return what remains to be awaited, None where nothing does."""
        if self._turns or (self.connection.writing_paused and self.state < CLOSED):
            return self._send_in_turn(message)
        return self._take(message)

    cdef object _take(self, object message):
        """Take a message whose turn it is."""
        cdef list out
        if PyDict_CheckExact(message) and self._send_plainly(<dict> message):
            return self._written()
        try:
            out = self.send(message)
        except BaseException:
            self.follow()
            raise
        if self.connection.lost:
            raise ClientDisconnected("the client has disconnected", self)
        self.write(out)
        self.follow()
        if self._is_behind() and not self.connection.app_runs:
            # What came before the WebSocket was accepted, or is closing; its own task's next wait
            # would have it read.
            self.serving.loop.call_soon(self.read_on)
        return self._written() if out else self.breathe()

    cdef bint _is_behind(self) except -1:
        """Tell whether the client has sent what is not decoded, or not even read."""
        return self.connection.input.size or self.connection.flow.paused

    cdef bint _send_plainly(self, dict message) except -1:
        """Take a message that is lawful beyond doubt; else leave it to the rule."""
        cdef object text, data
        if self.state != OPEN or self.frames is None or self._disconnect is not None:
            return False
        if message.get("type") != "websocket.send" or self.connection.lost:
            return False
        text = message.get("text")
        data = message.get("bytes")
        if text is None and data is not None and PyBytes_CheckExact(data):
            self._unyielded += len(<bytes> data)
            self.frames.send_binary(self.connection, data)
        elif data is None and text is not None and PyUnicode_CheckExact(text):
            self._unyielded += len(<str> text)
            try:
                self.frames.send_text(self.connection, text)
            except UnicodeEncodeError:
                return False
        else:
            return False
        self.connection.written(False)
        return True

    cdef int write(self, list out) except -1:
        """Write buffers behind what is due."""
        for piece in out:
            self._unyielded += len(piece)
        return self.connection.write(out, False) if out else 0

    cdef object _written(self):
        """Return what remains to be awaited after bytes were written, None where nothing does."""
        if self.connection.writing_paused:
            return self._wait_for_client()
        return self.breathe()

    cdef object breathe(self):
        """Count a call; return what lets other tasks run if it is time for that, else None."""
        self._unyielded += CALL_COST
        if self._unyielded > YIELD_EVERY:
            self._unyielded = 0
            return checkpoint()
        return None

    async def _send_in_turn(self, message):
        """Take a message once those of earlier calls are taken and written.

        So messages are taken in the order of their calls, and one that is cancelled meanwhile
        leaves nothing behind.
        """
        turn = self.serving.loop.create_future()
        if self._turns is None:
            self._turns = []
        self._turns.append(turn)
        self._next_turn()
        try:
            await turn
            rest = self._take(message)
        finally:
            self._turns.remove(turn)
            self._next_turn()
        if rest is not None:
            await rest

    cdef int _next_turn(self) except -1:
        """Let the first of the sends that wait take its message, if all before it is written."""
        if self._turns and (self.state == CLOSED or not self.connection.writing_paused):
            turn = self._turns[0]
            if not turn.done():
                turn.set_result(None)
        return 0

    async def _wait_for_client(self):
        """Wait until the kernel has all that was written."""
        if self.connection.writing_paused:
            future = self.serving.loop.create_future()
            self._writers.append(future)
            try:
                await future
            finally:
                if future in self._writers:  # cancelled
                    self._writers.remove(future)
        if self.connection.lost:
            raise ClientDisconnected("the client has disconnected", self)

    cdef int writing_resumed(self) except -1:
        """Take note that the kernel has all that was written."""
        wake(self._writers)
        return self._next_turn()


async def checkpoint():
    """Let other tasks run."""
    await _Yield()


class _Yield:
    __slots__ = ()

    def __await__(self):
        yield
