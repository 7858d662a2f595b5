"""Which HTTP message may follow which, and how much content there may be: on both sides.

    state         message sent                          becomes
    START_DUE     http.response.debug, once             START_DUE
    START_DUE     http.response.start                   CONTENT_DUE
    CONTENT_DUE   .early_hint, .push                    CONTENT_DUE
    CONTENT_DUE   .body, .zerocopysend with more_body   CONTENT_DUE
    CONTENT_DUE   .body, .zerocopysend, .pathsend       TRAILERS_DUE where announced, else COMPLETE
    TRAILERS_DUE  .trailers with more_trailers          TRAILERS_DUE
    TRAILERS_DUE  .trailers                             COMPLETE

It is stricter than `rules.http_exchange`, which forgives messages after the end, and it knows
extensions that ESG does not offer. What a response may start with is `rules.response_head`'s to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from esg.errors import MessageError
from esg.rules.response_head import plan
from esg.testing.message_forms import SENT
from esg.testing.violation import EXTENSIONS, HTTP, Forbidden

START_DUE: Final = "before http.response.start"
CONTENT_DUE: Final = "after http.response.start and before the end of the body"
TRAILERS_DUE: Final = "after the end of the body, where http.response.trailers is due"
COMPLETE: Final = "after the response was complete"

_PIECES: Final = ("http.response.body", "http.response.zerocopysend", "http.response.pathsend")
_ALLOWED: Final[Mapping[str, tuple[str, ...]]] = {
    START_DUE: ("http.response.start", "http.response.debug"),
    CONTENT_DUE: (*_PIECES, "http.response.early_hint", "http.response.push"),
    TRAILERS_DUE: ("http.response.trailers",),
    COMPLETE: (),
}
_LENGTH_CLAUSE: Final = "RFC 9110 section 8.6"


class ContentCount:
    """Count content against what the start of its response declares.

    Args:
        method: of the request.
        start: the message that starts the response.

    Raises:
        Forbidden: the start's fields contradict each other.
    """

    def __init__(self, method: str, start: Mapping[str, Any]) -> None:
        try:
            planned = plan(method, start["status"], start.get("headers", ()))
        except MessageError as error:
            raise Forbidden(f"{start['type']}: {error}", _LENGTH_CLAUSE) from None
        self._forbidden = method != "HEAD" and not planned.has_content
        self._status = planned.status
        self._due = planned.length if planned.has_content and planned.length >= 0 else None

    def take(self, size: int | None, final: bool) -> None:
        """Count one piece of content.

        Args:
            size: in bytes; None where only the server will know.
            final: nothing comes after it.

        Raises:
            Forbidden: it is more, or all together are less, than the start declares.
        """
        if self._forbidden and size != 0:
            raise Forbidden(
                f"sent content with a status of {self._status}, which has none",
                "RFC 9110 section 6.4.1",
            )
        if size is None:
            self._due = None
        if self._due is None or size is None:
            return
        self._due -= size
        if self._due < 0 or (final and self._due):
            by = f"{-self._due} bytes more" if self._due < 0 else f"{self._due} bytes less"
            raise Forbidden(f"sent {by} than its content-length declares", _LENGTH_CLAUSE)


class HttpOrder:
    """Follow one HTTP request and its response.

    Args:
        scope: of the request.
    """

    def __init__(self, scope: Mapping[str, Any]) -> None:
        self._method = str(scope.get("method"))
        self._state = START_DUE
        self._trailers = False
        self._debugged = False
        self._by_path: bool | None = None  # whether the content is http.response.pathsend's
        self._content = ContentCount(self._method, {"status": 200})  # the start's takes its place
        self._request_complete = False
        self._gone = False  # the client, as far as the application can know
        self._disconnected = False  # the server has said so

    @property
    def is_complete(self) -> bool:
        """Tell whether the application has nothing more to send."""
        return self._state == COMPLETE

    def client_left(self) -> None:
        """Take note that nobody reads the response any more."""
        self._gone = True

    def sent(self, message_type: str, message: Mapping[str, Any]) -> None:
        """Follow a well-formed message of the application.

        Raises:
            Forbidden: it is out of order, or contradicts what was sent before.
        """
        if message_type not in _ALLOWED[self._state]:
            raise Forbidden(f"sent {message_type} {self._state}", SENT[message_type].clause)
        if message_type == "http.response.debug":
            self._debug()
        elif message_type == "http.response.start":
            self._start(message)
        elif message_type in _PIECES:
            self._piece(message_type, message)
        elif message_type == "http.response.trailers" and not message.get("more_trailers", False):
            self._state = COMPLETE

    def _debug(self) -> None:
        if self._debugged:
            raise Forbidden("sent http.response.debug twice", f'{EXTENSIONS}, "Debug"')
        self._debugged = True

    def _start(self, message: Mapping[str, Any]) -> None:
        self._content = ContentCount(self._method, message)
        self._trailers = message.get("trailers", False)
        self._state = CONTENT_DUE

    def _piece(self, message_type: str, message: Mapping[str, Any]) -> None:
        by_path = message_type == "http.response.pathsend"
        if self._by_path is not None and by_path != self._by_path:
            raise Forbidden(
                "mixed http.response.pathsend with other content", f'{EXTENSIONS}, "Path Send"'
            )
        self._by_path = by_path
        final = by_path or not message.get("more_body", False)
        size = len(message.get("body", b"")) if message_type == "http.response.body" else None
        self._content.take(message.get("count") if size is None else size, final)
        if final:
            self._state = TRAILERS_DUE if self._trailers else COMPLETE

    def received(self, message_type: str, message: Mapping[str, Any], was_complete: bool) -> None:
        """Follow a well-formed message of the server.

        Args:
            message_type: its type.
            message: what came.
            was_complete: whether the response was when the application asked.

        Raises:
            Forbidden: it is out of order.
        """
        if message_type == "http.disconnect":
            self._gone = self._disconnected = True
            return
        clause = f'{HTTP}, "Request"'
        if message_type != "http.request":
            raise Forbidden(f"delivered {message_type} in an http scope", clause)
        if self._disconnected:
            raise Forbidden("delivered http.request after http.disconnect", clause)
        if self._request_complete:
            raise Forbidden("delivered http.request after the end of the request body", clause)
        if was_complete:
            raise Forbidden(
                "delivered http.request after the response was complete",
                f'{HTTP}, "Disconnect - receive event"',
            )
        self._request_complete = not message.get("more_body", False)

    def returned(self) -> None:
        """Check that an application that returns has done its part.

        Raises:
            Forbidden: its response is not complete, though its client is there.
        """
        if self._state != COMPLETE and not self._gone:
            raise Forbidden(f"returned {self._state}", f'{HTTP}, "Response Start"')
