"""All clients, and what is to be known of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.clients import idle_pool, libraries, programs
from tests.clients.load import Load


@dataclass(frozen=True)
class Kind:
    """One client.

    Args:
        name: what it is called in a test's name.
        run: makes the requests, and returns how many answers were right.
        connections: how many it may open in a round; None where every request has its own.
        keep_alive: the server's, in seconds.
    """

    name: str
    run: Callable[[Load], int]
    connections: int | None
    keep_alive: int = 2

    @property
    def outlasting(self) -> float:
        """A pause that no kept connection outlasts: one ends within a second of its time."""
        return self.keep_alive + 1.5


KINDS = (
    Kind("http.client", libraries.with_http_client, 4),
    Kind("urllib3", libraries.with_urllib3, 4),
    Kind("requests", libraries.with_requests, 4),
    Kind("httpx", libraries.with_httpx, 4),
    Kind("aiohttp", libraries.with_aiohttp, 20),
    Kind("curl", programs.with_curl, 1),
    # Its pool has no bound. It does not look before it uses a connection again and does not try
    # again, but by itself gives up one that is idle for 4 s: the server has to wait for longer.
    Kind("node-fetch", programs.with_node_fetch, 100, keep_alive=6),
    Kind("node-agent", programs.with_node_agent, 20),
    Kind("node-ws", programs.with_node_ws, 1),
    Kind("go-pool", idle_pool.with_idle_pool, idle_pool.AT_ONCE),
    # ESG closes after each answer in HTTP/1.0, and says so; ApacheBench goes on as told.
    Kind("ab", programs.with_ab, None),
    Kind("h2load", programs.with_h2load, 20),
    Kind("wrk", programs.with_wrk, 20),
)
