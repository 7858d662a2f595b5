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
    """

    name: str
    run: Callable[[Load], int]
    connections: int | None


KINDS = (
    Kind("http.client", libraries.with_http_client, 4),
    Kind("urllib3", libraries.with_urllib3, 4),
    Kind("requests", libraries.with_requests, 4),
    Kind("httpx", libraries.with_httpx, 4),
    Kind("aiohttp", libraries.with_aiohttp, 20),
    Kind("curl", programs.with_curl, 1),
    # Its pool has no bound: a content whose end has not come makes it open another one.
    Kind("node-fetch", programs.with_node_fetch, 100),
    Kind("node-agent", programs.with_node_agent, 20),
    Kind("node-ws", programs.with_node_ws, 1),
    Kind("go-pool", idle_pool.with_idle_pool, idle_pool.AT_ONCE),
    # ESG closes after each answer in HTTP/1.0, and says so; ApacheBench goes on as told.
    Kind("ab", programs.with_ab, None),
    Kind("h2load", programs.with_h2load, 20),
    Kind("wrk", programs.with_wrk, 20),
)
