"""What receive() and send() of a WebSocket return: see `app_calls`."""

from cpython.object cimport PyTypeObject

from esg.accel.app_calls cimport end_without_exceptions, raise_after
from esg.accel.websocket_session cimport WebSocket


cdef class WebSocketCall(AppCall):
    """A call of a WebSocket's."""

    cdef object begin(self):
        """Do the work."""
        cdef WebSocket session = <WebSocket> self.owner
        cdef dict event
        session.serving.check_thread()
        if self.sends:
            message = self.message
            self.message = None
            try:
                return session.try_send(message)
            except Exception as error:
                return raise_after(session.breathe(), error)
        event = session.try_receive()
        if event is None:
            return session.wait_for_event()
        self.result = event
        return None


end_without_exceptions(<PyTypeObject *> WebSocketCall)
