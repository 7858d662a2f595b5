"""Judge what a server sent after a 101, and the websocket messages that it gave to the app."""

from __future__ import annotations

from collections.abc import Iterator

from tests.conformance.client import Client
from tests.conformance.model import Frame
from tests.conformance.side_channel import CallTrace
from tests.conformance.websocket_frames import WireMessage

FOR_NO_FRAME = (1005, 1006, 1015)
# Between these nobody promises an order: a pong may come before an answer or after it.
ORDERED = (("text", "binary"), ("ping",), ("pong",), ("close",))


def frame_problems(client: Client, expected: list[Frame], exact: bool) -> Iterator[str]:
    """Yield each way in which the frames differ from the expected ones.

    Args:
        client: the connection.
        expected: its frames.
        exact: hold the server to ESG's own decisions, too.
    """
    assert client.parser.frames
    sent = client.parser.frames.messages
    for kinds in ORDERED:
        came = [message for message in sent if message.kind in kinds]
        wanted = [frame for frame in expected if frame.kind in kinds]
        if kinds == ("ping",) and not wanted:
            continue
        if not exact and not came and all(frame.by_server for frame in wanted):
            continue
        if len(came) != len(wanted):
            shown = "; ".join(map(str, came[:10])) or "none"
            yield f"{len(came)} {'/'.join(kinds)} frame(s), expected {len(wanted)}: {shown}"
        for message, frame in zip(came, wanted, strict=False):
            yield from (f"{message}: {problem}" for problem in _frame(message, frame, exact))


def unlawful_codes(client: Client) -> Iterator[str]:
    """Yield each close code that is for no frame (RFC 6455 section 7.4.1)."""
    for message in client.parser.frames.messages if client.parser.frames else ():
        if message.kind == "close" and message.data and message.code in FOR_NO_FRAME:
            yield f"close code {message.code} was sent"


def _frame(message: WireMessage, wanted: Frame, exact: bool) -> Iterator[str]:
    if message.kind != wanted.kind:
        yield f"expected {wanted.kind}"
    if wanted.data is not None and message.data != wanted.data:
        yield f"expected {wanted.data[:200]!r}"
    if wanted.size is not None and len(message.data) != wanted.size:
        yield f"expected {wanted.size} octets"
    if wanted.compressed is not None and message.compressed != wanted.compressed:
        yield f"expected {'compressed' if wanted.compressed else 'not compressed'}"
    if wanted.kind == "close":
        yield from _close(message, wanted, exact)


def _close(message: WireMessage, wanted: Frame, exact: bool) -> Iterator[str]:
    codes = (wanted.code,) if exact else (wanted.code, *wanted.alternatives)
    if message.code not in codes:
        yield f"expected code {' or '.join(map(str, codes))}"
    if wanted.reason is not None and message.reason != wanted.reason:
        yield f"expected reason {wanted.reason!r}"


def message_violations(call: CallTrace) -> Iterator[str]:
    """Yield each rule that a received websocket message breaks, whatever the case."""
    for kind, *rest in call.records:
        message = rest[0] if kind == "receive" else {}
        if message.get("type") == "websocket.receive":
            text, data = message.get("text"), message.get("bytes")
            if (text is None) == (data is None):
                yield f"a websocket.receive with not exactly one payload: {message!r:.200}"
            if not isinstance(text, (str, dict, type(None))):
                yield f"text is {text!r:.200}"
            if not isinstance(data, (bytes, dict, type(None))):
                yield f"bytes are {data!r:.200}"
        elif message.get("type") == "websocket.disconnect":
            if not isinstance(message.get("code", 1005), int):
                yield f"a disconnect code {message['code']!r}"
            if not isinstance(message.get("reason") or "", str):
                yield f"a disconnect reason {message['reason']!r}"
