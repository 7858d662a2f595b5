"""Clients that are libraries of Python."""

from __future__ import annotations

import asyncio
import http.client
from contextlib import ExitStack
from urllib.parse import urlsplit

import aiohttp
import httpx
import requests
import urllib3

from tests.clients.load import Load, content_of, in_threads, is_right

TIMEOUT = 60.0  # seconds; what takes longer is taken for a hang


def with_http_client(load: Load) -> int:
    """A connection for each thread, which opens itself again where it was closed between requests.

    http.client does not look whether a connection is still there before it uses it; RFC 9112
    section 9.3.1 has the client retry, once and on a new connection.
    """
    place = urlsplit(load.url).netloc
    threads = [http.client.HTTPConnection(place, timeout=TIMEOUT) for _ in range(4)]

    def ask(number: int) -> bool:
        connection = threads[number % 4]
        for again in (True, False):
            try:
                content = content_of(number)
                connection.request("POST" if content else "GET", "/", content)
                answer = connection.getresponse()
                return is_right(number, answer.status, answer.read())
            except (http.client.RemoteDisconnected, ConnectionError):
                connection.close()
                if not again:
                    raise
        raise AssertionError

    with ExitStack() as closing:
        for connection in threads:
            closing.callback(connection.close)
        return in_threads(load, ask)


def with_urllib3(load: Load) -> int:
    """A pool that does not try again: it looks whether a connection has ended before it uses it."""
    with urllib3.PoolManager(maxsize=4, retries=False, timeout=TIMEOUT) as pool:

        def ask(number: int) -> bool:
            content = content_of(number)
            answer = pool.request("POST" if content else "GET", load.url, body=content)
            return is_right(number, answer.status, answer.data)

        return in_threads(load, ask)


def with_requests(load: Load) -> int:
    """A session."""
    with requests.Session() as session:

        def ask(number: int) -> bool:
            content = content_of(number)
            method = "POST" if content else "GET"
            answer = session.request(method, load.url, data=content, timeout=TIMEOUT)
            return is_right(number, answer.status_code, answer.content)

        return in_threads(load, ask)


def with_httpx(load: Load) -> int:
    """A client that keeps connections for longer than the server does."""
    limits = httpx.Limits(max_connections=4, keepalive_expiry=60)
    with httpx.Client(limits=limits, timeout=TIMEOUT) as client:

        def ask(number: int) -> bool:
            content = content_of(number)
            answer = client.request("POST" if content else "GET", load.url, content=content)
            return is_right(number, answer.status_code, answer.content)

        return in_threads(load, ask)


def with_aiohttp(load: Load) -> int:
    """A session with 20 requests at once."""

    async def ask(session: aiohttp.ClientSession, number: int) -> bool:
        content = content_of(number)
        method = "POST" if content else "GET"
        async with session.request(method, load.url, data=content) as answer:
            return is_right(number, answer.status, await answer.read())

    async def work(session: aiohttp.ClientSession, first: int) -> int:
        return sum([await ask(session, n) for n in range(first, load.requests, 20)])

    async def main() -> int:
        connector = aiohttp.TCPConnector(limit=20, keepalive_timeout=60)
        timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            right = 0
            for pause in (0.0, *load.pauses):
                await asyncio.sleep(pause)
                right += sum(await asyncio.gather(*(work(session, first) for first in range(20))))
            return right

    return asyncio.run(main())
