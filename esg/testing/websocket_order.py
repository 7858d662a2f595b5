"""Which WebSocket message may follow which, on both sides.

    state        message sent                     becomes
    CONNECT_DUE  none before websocket.connect has been received
    ANSWER_DUE   websocket.accept                 OPEN
    ANSWER_DUE   websocket.close                  CLOSED
    ANSWER_DUE   websocket.http.response.start    DENYING
    DENYING      .body with more_body             DENYING
    DENYING      .body                            CLOSED
    OPEN         websocket.send                   OPEN
    OPEN         websocket.close                  CLOSED

Once the client is gone nothing is out of order any more: an application cannot know in time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from esg.testing.http_order import ContentCount
from esg.testing.message_forms import SENT
from esg.testing.violation import WEBSOCKET, Forbidden
from esg.websocket import MAX_REASON, is_close_code

CONNECT_DUE: Final = "before websocket.connect was received"
ANSWER_DUE: Final = "before websocket.accept"
DENYING: Final = "inside of the response that denies the handshake"
OPEN: Final = "after websocket.accept"
CLOSED: Final = "after the application closed the connection"

_ALLOWED: Final[Mapping[str, tuple[str, ...]]] = {
    CONNECT_DUE: (),
    ANSWER_DUE: ("websocket.accept", "websocket.close", "websocket.http.response.start"),
    DENYING: ("websocket.http.response.body",),
    OPEN: ("websocket.send", "websocket.close"),
    CLOSED: (),
}


class WebSocketOrder:
    """Follow one WebSocket.

    Args:
        scope: of the connection.
    """

    is_complete: bool = False

    def __init__(self, scope: Mapping[str, Any]) -> None:
        self._offered = list(scope.get("subprotocols", ()))
        self._state = CONNECT_DUE
        self._accepted = False
        self._gone = False  # the client, as far as the application can know
        self._disconnected = False  # the server has said so
        self._denial: ContentCount | None = None

    def client_left(self) -> None:
        """Take note that nobody reads any more."""
        self._gone = True

    def sent(self, message_type: str, message: Mapping[str, Any]) -> None:
        """Follow a well-formed message of the application.

        Raises:
            Forbidden: it is out of order, or contradicts what was sent before.
        """
        if message_type == "websocket.close":
            _check_close(message)
        if self._gone:
            return
        if message_type not in _ALLOWED[self._state]:
            raise Forbidden(f"sent {message_type} {self._state}", SENT[message_type].clause)
        if message_type == "websocket.accept":
            self._accept(message.get("subprotocol"))
        elif message_type == "websocket.close":
            self._state = CLOSED
        elif message_type == "websocket.http.response.start":
            self._denial = ContentCount("GET", message)
            self._state = DENYING
        elif self._denial is not None:
            final = not message.get("more_body", False)
            self._denial.take(len(message.get("body", b"")), final)
            self._state = CLOSED if final else DENYING

    def _accept(self, subprotocol: str | None) -> None:
        if subprotocol is not None and subprotocol not in self._offered:
            raise Forbidden(
                f"accepted the subprotocol {subprotocol!r}, which the client did not offer",
                "RFC 6455 section 4.2.2",
            )
        self._accepted = True
        self._state = OPEN

    def received(self, message_type: str, _message: Mapping[str, Any], _was_complete: bool) -> None:
        """Follow a well-formed message of the server.

        Raises:
            Forbidden: it is out of order.
        """
        clause = f'{WEBSOCKET}, "Connect"'
        if self._disconnected and message_type != "websocket.disconnect":
            raise Forbidden(f"delivered {message_type} after websocket.disconnect", clause)
        if (message_type == "websocket.connect") != (self._state == CONNECT_DUE):
            raise Forbidden(f"delivered {message_type} {self._shown_state()}", clause)
        if message_type == "websocket.connect":
            self._state = ANSWER_DUE
        elif message_type == "websocket.disconnect":
            self._gone = self._disconnected = True
        elif message_type != "websocket.receive":
            raise Forbidden(f"delivered {message_type} in a websocket scope", clause)
        elif not self._accepted:
            raise Forbidden(f"delivered websocket.receive {self._state}", clause)

    def _shown_state(self) -> str:
        return "before websocket.connect" if self._state == CONNECT_DUE else "a second time"

    def returned(self) -> None:
        """Check that an application that returns has done its part.

        Raises:
            Forbidden: it owes the client an answer.
        """
        if self._state in (CONNECT_DUE, ANSWER_DUE, DENYING) and not self._gone:
            raise Forbidden(f"returned {self._state}", f'{WEBSOCKET}, "Connect"')


def _check_close(message: Mapping[str, Any]) -> None:
    code = message.get("code", 1000)
    if not is_close_code(code):
        raise Forbidden(f"sent websocket.close with the code {code}", "RFC 6455 section 7.4")
    size = len((message.get("reason") or "").encode())
    if size > MAX_REASON:
        raise Forbidden(
            f"sent websocket.close with a reason of {size} bytes, {MAX_REASON} is the most",
            "RFC 6455 section 5.5",
        )
