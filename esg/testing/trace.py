"""What passed between a server and an application in one call, in a form that can be compared.

Chance is left out: how content was cut into messages, which of two directions was faster, how much
got through before a connection broke, ports, dates.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

from esg.asgi import Message
from esg.testing.masking import Mask

# Content up to this many bytes is shown, longer one summed up.
SHOWN: Final = 400
_CONTENT: Final = (
    "http.request",
    "http.response.body",
    "websocket.http.response.body",
)


@dataclass
class Trace:
    """Hold one call of an application.

    Attributes:
        name: `GET /path`, `websocket /path` or `lifespan`.
        scope: as the server gave it.
        received: the messages that the application received, unchanged.
        sent: those that it sent, unchanged, and that the server took.
        refused: the messages that the server did not take, with what its `send()` raised.
        end: "returned", "raised ..." or "cancelled"; None while the call is running.
        patterns: regular expressions of what else differs from run to run.
    """

    name: str
    scope: Mapping[str, Any]
    patterns: tuple[str, ...] = ()
    received: list[Message] = field(default_factory=list)
    sent: list[Message] = field(default_factory=list)
    refused: list[tuple[Message, Exception]] = field(default_factory=list)
    end: str | None = None

    def lines(self) -> list[str]:
        """Return everything in its comparable form: the call, the scope, both directions, the end."""
        mask = Mask(self.scope, self.patterns)
        cut_off = self._is_cut_off()
        lines = [
            self.name,
            *(f"  scope {line}" for line in _scope(self.scope)),
            *(f"  received {line}" for line in _messages(self.received, mask, cut_off)),
            *(f"  sent {line}" for line in _messages(self.sent, mask, cut_off)),
            *(f"  send() of {line}" for line in self._refusals()),
            f"  {self.end or 'is still running'}",
        ]
        return [mask.text(line) for line in lines]

    def _is_cut_off(self) -> bool:
        """Tell whether the client left before the exchange was complete."""
        ends = [m.get("more_body", False) for m in self.sent if m.get("type") == _CONTENT[1]]
        has_left = any(m.get("type") == "http.disconnect" for m in self.received)
        lost = any(isinstance(error, OSError) for _, error in self.refused)
        return lost or (has_left and False not in ends)

    def _refusals(self) -> Iterator[str]:
        found = (
            # Which of its own classes a server raises for a lost client is its affair.
            "a message raised OSError"
            if isinstance(error, OSError)
            else f"{message.get('type')} raised {type(error).__name__}: {error}"
            for message, error in self.refused
        )
        return (line for line, _ in groupby(found))


def _scope(scope: Mapping[str, Any]) -> Iterator[str]:
    for name, value in sorted(scope.items()):
        if name == "headers":
            yield from _headers("headers", value)
        elif name in ("client", "server") and isinstance(value, list | tuple):
            yield f"{name}: {value[0]}:{value[1]}"
        elif name in ("state", "extensions"):
            # What is in them belongs to the run.
            yield f"{name}: {', '.join(sorted(value or ()))}"
        else:
            yield f"{name}: {value!r}"


def _headers(name: str, headers: Iterable[Iterable[bytes]]) -> Iterator[str]:
    yield f"{name}:"
    for field_name, value in headers:
        yield f"  {field_name.decode('latin-1')}: {value.decode('latin-1')}"


def _messages(messages: Iterable[Message], mask: Mask, cut_off: bool) -> Iterator[str]:
    """Yield messages with content joined and repetitions left out."""
    for message_type, group in groupby(messages, lambda message: message.get("type")):
        if message_type in _CONTENT:
            yield f"{message_type} {_content(list(group), mask, cut_off)}"
        elif message_type == "http.disconnect":
            yield message_type
        else:
            for message in group:
                yield from _message(message, mask)


def _content(messages: list[Message], mask: Mask, cut_off: bool) -> str:
    complete = not messages[-1].get("more_body", False)
    if cut_off and not complete:
        return "cut off"
    body = b"".join(bytes(message.get("body", b"")) for message in messages)
    return f"{_payload(mask.octets(body))}{'' if complete else ', incomplete'}"


def _payload(octets: bytes) -> str:
    if len(octets) <= SHOWN:
        return repr(octets)
    digest = hashlib.sha256(octets).hexdigest()[:16]
    return f"{len(octets)} bytes {octets[:40]!r}..., SHA-256 {digest}..."


def _message(message: Message, mask: Mask) -> Iterator[str]:
    shown = [str(message.get("type"))]
    for name, value in sorted(message.items()):
        if name not in ("type", "headers"):
            long = isinstance(value, bytes)
            shown.append(f"{name}={_payload(mask.octets(value)) if long else repr(value)}")
    if "headers" in message:
        yield from _headers(" ".join(shown), message["headers"])
    else:
        yield " ".join(shown)
