"""How an opening handshake is answered in HTTP/1.1: accepted, refused, or by a response."""

from esg.accel.rules.http_exchange cimport HttpExchange
from esg.accel.rules.response_head cimport Http1Response, upgrade_response

from esg.accel.rules.response_head import error_response, plan


cdef class HandshakeAnswers:
    """Write the answer to one opening handshake; see `esg.websocket.Answers`.

    Args:
        serving: knows the fields that every response has.
        handshake: what it asks for.
    """

    def __init__(self, Serving serving, OpeningHandshake handshake):
        self._serving = serving
        self._handshake = handshake
        self._accepted = ()

    def switch(self, subprotocol, headers):
        """Check and serialise an acceptance."""
        fields = self._handshake.accept_fields(subprotocol, headers)
        defaults = self._serving.default_fields()
        out = upgrade_response(b"websocket", fields, headers, defaults)
        self._accepted = headers
        return out

    def refuse(self, status):
        """Serialise an answer in the application's place."""
        self._refusal = error_response("GET", status, self._serving.default_fields())
        return self._refusal

    def deny(self):
        """Begin a response of the application's own, behind which the connection closes."""
        if self._denial is None:
            self._wire = Http1Response("1.1", False, self._serving.default_fields())
            self._denial = HttpExchange("GET", 0, False, plan, self._wire)
        return self._denial

    # What the access log asks for.

    cdef object headers(self):
        """Return those of the application in the answer."""
        return self._accepted if self._wire is None else self._wire.response.fields

    cdef long long sent(self) except -1:
        """Return the size of the answer's content."""
        if self._refusal is not None:
            return len(self._refusal.partition(b"\r\n\r\n")[2])
        return 0 if self._denial is None else self._denial.sent
