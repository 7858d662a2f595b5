"""The servers that the sites are put on: every row of ESG, and others to compare with."""

from __future__ import annotations

from dataclasses import dataclass

from tests.rows import ROWS, Row
from tests.server import LISTENING

# What `make ecosystem` sets; other servers take no part in the tests of ESG.
WITH_PEERS = "ECOSYSTEM_PEERS"
UVICORN_LISTENING = r"Uvicorn running on (?P<scheme>http)://(?P<host>[^:]+):(?P<port>\d+)(?P<path>)"


@dataclass(frozen=True)
class Target:
    """One server in one configuration.

    Args:
        id: its name in a test's.
        options: a command line for `python -m`, but for the application.
        loop: what it runs the application on.
        row: what has to be there, None for other servers.
        wsgi: options for WSGI applications.
        listening: the line that names its port.
        exit_code: of an orderly stop.
        bound: seconds that a test waits for one of its lines.
    """

    id: str
    options: tuple[str, ...]
    loop: str
    row: Row | None = None
    wsgi: tuple[str, ...] = ()
    listening: str = LISTENING
    exit_code: int = 0
    bound: float = 60.0


def _own(row: Row) -> Target:
    options = ("esg", *row.options, "--timeout-graceful-shutdown", "0.5", "--port", "0")
    return Target(row.id, options, row.loop, row)


def _uvicorn(http: str, loop: str) -> Target:
    return Target(
        f"uvicorn-{http}",
        (
            *("uvicorn", "--http", http, "--loop", loop, "--port", "0"),
            *("--timeout-graceful-shutdown", "1"),
        ),
        loop,
        wsgi=("--interface", "wsgi"),
        listening=UVICORN_LISTENING,
        # It ends as the signal would have ended it.
        exit_code=-15,
        bound=15.0,
    )


OWN = tuple(_own(row) for row in ROWS)
PEERS = (_uvicorn("httptools", "uvloop"), _uvicorn("h11", "asyncio"))
TARGETS = OWN + PEERS
# What `make test` puts the sites on: (fast, uvloop), where that exists.
FIRST = OWN[-1]
