"""Settings: how long things may take."""

from __future__ import annotations

from dataclasses import dataclass

from esg.options import setting

_HEADING = "Timeouts (seconds, 0 for none)"


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class TimeoutSettings:
    """How long things may take."""

    timeout_keep_alive: float = setting(5.0, "Between two requests.", _HEADING, minimum=0)
    timeout_headers: float = setting(
        10.0,
        "For a whole request head, and for TLS's handshake.",
        _HEADING,
        minimum=0,
    )
    timeout_body: float = setting(
        60.0, "For the next bytes of content that APP waits for.", _HEADING, minimum=0
    )
    timeout_write: float = setting(
        60.0, "For a client that does not read its response.", _HEADING, minimum=0
    )
    timeout_graceful_shutdown: float = setting(
        10.0, "For requests in flight when the server stops.", _HEADING, minimum=0
    )
    timeout_lifespan: float = setting(
        30.0, "For the application's lifespan shutdown.", _HEADING, minimum=0
    )
    timeout_request: float = setting(
        0.0,
        "For APP to complete a response; above it 503, and APP is cancelled.",
        _HEADING,
        minimum=0,
    )
    cancel_on_disconnect: float | None = setting(
        None,
        "Cancel APP this long after its client has left; alone, 3 seconds. [default: never]",
        _HEADING,
        metavar="SECONDS",
        minimum=0,
        bare=3.0,
    )
