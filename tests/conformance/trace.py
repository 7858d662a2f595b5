"""Traces in a form that does not depend on how the octets were cut into segments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.conformance.model import Seen
from tests.conformance.side_channel import CallTrace
from tests.conformance.websocket_frames import NO_CODE


@dataclass
class Observed:
    """One entry of a normalised trace; `family` names the classes of an exception."""

    kind: str
    detail: str
    body: bytes = b""
    size: int = 0
    more: bool = False
    family: tuple[str, ...] = ()
    message: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        if self.detail == "http.request":
            short = len(self.body) == self.size <= 200
            shown = repr(self.body) if short else f"{self.size} bytes"
            return f"receive http.request body={shown} more_body={self.more}"
        if self.message:
            entries = " ".join(f"{key}={_short(value)}" for key, value in self.message.items())
            return f"receive {self.detail} {entries}"
        error = f" raised {self.family[0]}" if self.family and self.kind != "end" else ""
        return f"{self.kind} {self.detail}{error}"


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 300 else f"{shown[:300]}... ({len(value)} in all)"


def _websocket_message(message: dict[str, Any]) -> dict[str, Any]:
    """Return a websocket message's entries, the absent ones by their defaults."""
    if message["type"] == "websocket.receive":
        return {"text": message.get("text"), "bytes": message.get("bytes")}
    if message["type"] == "websocket.disconnect":
        return {"code": message.get("code", NO_CODE), "reason": message.get("reason") or ""}
    return {}


def _body(message: dict[str, Any]) -> tuple[bytes, int]:
    data = message.get("body", b"")
    if isinstance(data, dict):
        return b"", int(data["size"])
    return data, len(data)


def _observed(record: tuple[Any, ...]) -> Observed | None:
    kind, *rest = record
    if kind == "receive":
        if str(rest[0].get("type")).startswith("websocket."):
            message = _websocket_message(rest[0])
            return Observed("receive", rest[0]["type"], message=message)
        data, size = _body(rest[0])
        more = bool(rest[0].get("more_body", False))
        return Observed("receive", str(rest[0].get("type")), data, size, more)
    if kind == "send":
        return Observed("send", str(rest[0]))
    if kind == "send-raised":
        return Observed("refused", str(rest[0]), family=tuple(rest[1]))
    if kind == "receive-raised":
        return Observed("receive-raised", rest[0][0], family=tuple(rest[0]))
    if kind == "mark":
        return Observed("mark", rest[0])
    if kind == "end":
        return Observed("end", rest[0][0], family=tuple(rest[0]))
    return None


def normalise(call: CallTrace) -> list[Observed]:
    """Return the trace with adjacent http.request events joined into one."""
    trace: list[Observed] = []
    for record in call.records:
        entry = _observed(record)
        if entry is None:
            continue
        if trace and entry.detail == "http.request" == trace[-1].detail:
            trace[-1].body += entry.body
            trace[-1].size += entry.size
            trace[-1].more = entry.more
        else:
            trace.append(entry)
    return trace


def matches(entry: Observed, expected: Seen, exact: bool = True) -> bool:
    """Tell whether a trace entry is what the case expects, of ESG if `exact`."""
    if entry.kind != expected.kind:
        return False
    if entry.kind == "end":
        return expected.detail in entry.family
    if entry.detail != expected.detail:
        return False
    if expected.body is not None and entry.body != expected.body:
        return False
    if expected.more is not None and entry.more != expected.more:
        return False
    wanted = {**expected.has, **(expected.ours if exact else {})}
    if any(entry.message.get(key) != value for key, value in wanted.items()):
        return False
    return expected.error is None or expected.error in entry.family


def request_body(trace: list[Observed]) -> tuple[bytes, int]:
    """Return the whole request body that the application received, and its size."""
    parts = [entry for entry in trace if entry.detail == "http.request"]
    return b"".join(part.body for part in parts), sum(part.size for part in parts)


def shown(call: CallTrace, most: int = 40) -> list[str]:
    """Put a trace in words, its middle left out if it is long."""
    lines = [str(entry) for entry in normalise(call)]
    if len(lines) <= most:
        return lines
    half = most // 2
    return [*lines[:half], f"... {len(lines) - most} entries more", *lines[-half:]]
