"""Reduce an observation to what must be the same in every run and on every ESG target."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from tests.conformance.client import Client
from tests.conformance.model import Fate
from tests.conformance.runner import Observation
from tests.conformance.scope_form import SECURED
from tests.conformance.side_channel import CallTrace
from tests.conformance.trace import Observed, normalise
from tests.conformance.websocket_frames import FrameReader
from tests.conformance.wire import WireResponse

Line = str

# How a cancelled task ends, on asyncio and on trio.
CANCELLED = {"CancelledError", "Cancelled", "BaseExceptionGroup"}
# What applications send again and again.
MANY = ("http.response.body", "websocket.send")
# Scope entries that differ between connections and runs by their nature.
VARYING = {"client", "server", "state"}
# Those that the ASGI specification knows; what others a server adds is its own concern.
SPECIFIED = {
    *("type", "asgi", "http_version", "method", "scheme", "path", "raw_path", "query_string"),
    *("root_path", "headers", "client", "server", "subprotocols", "state", "extensions"),
}


def digest(seen: Observation) -> list[Line]:
    """Return the comparable lines of an observation: responses, fate, scopes and traces.

    Left out are the Date value, addresses, and how a body was cut into chunks or events.
    An incomplete body is left out, too: how much of it left before an abort is chance; and so are
    frames that the case does not check.
    """
    lines: list[Line] = []
    for name, client in seen.clients.items():
        lines += [f"{name}: {line}" for line in _wire(client)]
        if client.parser.frames and seen.case.frames is not None:
            lines += [f"{name}: {line}" for line in _frames(client.parser.frames)]
        # Where the client has left first, or nobody waits for an end, one is chance.
        if name == "a" and seen.case.fate is not Fate.ANY and not client.ends.by_client:
            lines.append(f"{name}: ended by the server: {client.ends.eof or client.ends.reset}")
        if name in seen.usable:
            lines.append(f"{name}: usable afterwards: {seen.usable[name]}")
    for name, calls in seen.calls.items():
        for number, call in enumerate(calls, 1):
            lines += [f"{name}: call {number}: {line}" for line in _call(call)]
    return lines


def told(seen: Observation) -> list[Line]:
    """Return what the application has been told, as any server must in every run.

    Whether it hears of the end, and what it can still send, is chance.
    """
    return [
        f"{name}: call {number}: {line}"
        for name, calls in seen.calls.items()
        for number, call in enumerate(calls, 1)
        for line in _told(call)
    ]


def _wire(client: Client) -> Iterator[Line]:
    for response in client.parser.responses:
        yield from _response(response)
    if client.parser.leftover and not (client.parser.frames and client.ends.by_client):
        yield f"leftover octets {client.parser.leftover[:500]!r}"
    if client.parser.error:
        yield f"malformed: {client.parser.error}"


def _frames(reader: FrameReader) -> Iterator[Line]:
    """Tell what the server sent, kind by kind: a pong may come before an answer or after."""
    for sent in sorted(reader.messages, key=lambda message: message.kind):
        if sent.kind != "ping":
            yield f"{sent} {hashlib.sha256(sent.data).hexdigest()}"


def _response(response: WireResponse) -> Iterator[Line]:
    for status in response.interim:
        yield f"interim {status}"
    yield f"{response.status} {response.reason.decode('latin-1')}"
    for name, value in response.fields:
        shown = b"<masked>" if name.lower() == b"date" else value
        yield f"{name.decode('latin-1')}: {shown.decode('latin-1')}"
    for name, value in response.trailers:
        yield f"trailer {name.decode('latin-1')}: {value.decode('latin-1')}"
    for link in response.links:
        yield f"interim link: {link}"
    if response.complete:
        body = bytes(response.body)
        shown_body = repr(body) if len(body) <= 500 else hashlib.sha256(body).hexdigest()
        yield f"body of {len(body)} octets: {shown_body}"
    else:
        yield "incomplete"


def _call(call: CallTrace) -> Iterator[Line]:
    yield from _scope(call, set(call.scope))
    yield from _settled(normalise(call))


def _told(call: CallTrace) -> Iterator[Line]:
    yield from _scope(call, SPECIFIED)
    for entry in normalise(call):
        # Content that did not end has been cut anywhere.
        if entry.kind == "receive" and not entry.more and not entry.detail.endswith("disconnect"):
            yield str(entry)


def _scope(call: CallTrace, compared: set[str]) -> Iterator[Line]:
    for key, value in sorted(call.scope.items()):
        if key in compared - VARYING:
            yield f"scope {key}: {_masked(key, value)!r}"


def _settled(trace: list[Observed]) -> list[Line]:
    """Leave out how much went either way before the connection or the task broke: chance."""
    cancelled = any(entry.kind == "end" and CANCELLED & set(entry.family) for entry in trace)
    cut_off = any(entry.detail == "http.disconnect" for entry in trace)
    broken = cancelled or any(entry.kind == "refused" for entry in trace)
    settled: list[Line] = []
    for entry in trace:
        line = "end cancelled" if entry.kind == "end" and cancelled else str(entry)
        if cut_off and entry.detail == "http.request" and entry.more:
            continue
        if broken and entry.kind == "send" and entry.detail in MANY:
            continue
        if entry.kind == "refused" and CANCELLED & set(entry.family):
            continue  # It was in send() when it was cancelled, or elsewhere.
        settled.append(line)
    return settled


def _masked(key: str, value: Any) -> Any:
    """Sort what has no order, and mask what names the target itself, or that it speaks TLS."""
    if key == "scheme":
        return {secured: plain for plain, secured in SECURED.items()}.get(value, value)
    if key not in ("asgi", "extensions") or not value:
        return value
    return sorted(
        (name, "<masked>" if name.startswith("esg.") else item)
        for name, item in value.items()
        if name != "tls"
    )


def difference(one: list[Line], other: list[Line]) -> list[str]:
    """Return the lines that only one of two digests has, marked - and +; empty if equal."""
    if one == other:
        return []
    found = [f"- {line}" for line in one if line not in other]
    found += [f"+ {line}" for line in other if line not in one]
    return found or ["the same lines in another order"]
