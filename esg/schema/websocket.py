"""Settings: how WebSocket is spoken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from esg.options import setting

_CODECS = ("auto", "none", "wsproto", "websockets")

_HEADING = "WebSocket (seconds: 0 or none for no such bound)"


def _websocket_codec(value: Any) -> str:
    # The name that others have for the part of that library which we use.
    name = "websockets" if value == "websockets-sansio" else value
    if name not in _CODECS:
        raise ValueError(f"must be one of {', '.join(_CODECS)}")
    return str(name)


def _seconds(value: Any) -> float:
    """Take a number of seconds from 0 on, or "none" for 0."""
    if value is None or value == "none":
        return 0.0
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        seconds = -1.0
    if isinstance(value, bool) or not 0 <= seconds < float("inf"):
        raise ValueError("must be a number of at least 0, or none")
    return seconds


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class WebSocketSettings:
    """How WebSocket is spoken."""

    ws: str = setting(
        "auto",
        "Codec of WebSocket frames: auto (the implementation's own), wsproto or websockets; "
        "none serves no WebSocket.",
        _HEADING,
        choices=_CODECS,
        parse=_websocket_codec,
    )
    ws_max_size: int = setting(
        16777216,
        "Size of a message, inflated; above it close code 1009.",
        _HEADING,
        minimum=1,
        metavar="BYTES",
    )
    ws_max_queue: int = setting(
        32,
        "Messages that wait for APP; beyond them, or 64 KiB, the client waits.",
        _HEADING,
        minimum=1,
    )
    ws_per_message_deflate: bool = setting(
        True, "Compress messages where the client can.", _HEADING, takes_boolean=True
    )
    ws_ping_interval: float = setting(
        20.0, "Between the pings that ask whether a client is there.", _HEADING, parse=_seconds
    )
    ws_ping_timeout: float = setting(
        20.0, "For anything from the client after a ping.", _HEADING, parse=_seconds
    )
    ws_accept_timeout: float = setting(
        10.0, "For APP to accept a WebSocket or refuse it.", _HEADING, parse=_seconds
    )
    ws_close_timeout: float = setting(
        10.0, "For the client's answer to a close frame.", _HEADING, parse=_seconds
    )
