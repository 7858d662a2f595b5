"""Settings: how much of everything there may be."""

from __future__ import annotations

from dataclasses import dataclass

from esg.options import setting

_HEADING = "Limits (0 for none)"


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class LimitSettings:
    """How much of everything there may be."""

    limit_concurrency: int = setting(
        0, "Requests and WebSockets in flight; above it 503.", _HEADING, minimum=0, metavar="N"
    )
    limit_connections: int = setting(
        0,
        "Connections that are open; more of them wait to be accepted.",
        _HEADING,
        minimum=0,
        metavar="N",
    )
    limit_head_size: int = setting(
        65536, "Size of a request head; above it 431.", _HEADING, minimum=256, metavar="BYTES"
    )
    limit_fields: int = setting(
        100, "Header fields of a request; above it 431.", _HEADING, minimum=1, metavar="N"
    )
    limit_target_size: int = setting(
        8192, "Size of a request target; above it 414.", _HEADING, minimum=1, metavar="BYTES"
    )
    limit_body_size: int = setting(
        0, "Size of a request body; above it 413.", _HEADING, minimum=0, metavar="BYTES"
    )
