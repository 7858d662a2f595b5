"""The live parts of the demo page: what the server is, and what it can do."""

import hashlib
import json
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qs

import anyio

from examples.demo_exchange import NOT_CACHED, Exchange, Tally
from examples.until_disconnect import until_disconnect

TEXT = (
    "Each of these words left the application in a message of its own, and the server wrote it "
    "to the socket before the next one was made. Nothing waits for the end of the response: "
    "your browser reads the words as they arrive. Press stop, and the application hears of it "
    "at once."
)

EVENT_INTERVAL = 1.0
"""Seconds between two events."""

RETRY = 1500
"""Milliseconds a browser waits before it reconnects to the event stream."""


async def describe_server(exchange: Exchange) -> None:
    """Answer with what runs this application; ESG says so in a scope extension."""
    extensions = exchange.scope.get("extensions") or {}
    server = extensions.get("esg.server", {})
    await exchange.respond_json(
        {
            "is_esg": bool(server),
            "version": server.get("version", "unknown"),
            "implementation": server.get("implementation", "unknown"),
            "loop": server.get("loop", "unknown"),
            "reason": server.get("reason", ""),
            "asgi": exchange.scope["asgi"].get("spec_version", "2.0"),
            "python": f"{platform.python_implementation()} {platform.python_version()}",
            "platform": f"{platform.system()} {platform.machine()}",
            "uptime": exchange.tally.uptime,
            "requests": exchange.tally.requests,
        }
    )


async def describe_scope(exchange: Exchange) -> None:
    """Answer with the scope of this very request, values as Python shows them."""
    scope = exchange.scope
    entries = [describe_entry(key, scope[key]) for key in scope if key != "headers"]
    headers = [[octets.decode("latin-1") for octets in header] for header in scope["headers"]]
    await exchange.respond_json({"entries": entries, "headers": headers})


def describe_entry(key: str, value: Any) -> dict[str, str]:
    """Describe one key of the scope: its name, its value and the value's type."""
    return {"key": key, "value": repr(value), "type": type(value).__name__}


async def stream_words(exchange: Exchange) -> None:
    """Stream a text word by word; `?interval=` gives the milliseconds between two words."""
    interval = stream_interval(exchange)
    if interval is None:
        await exchange.respond_text(400, "interval is 0 to 2000 milliseconds.\n")
        return
    await exchange.start(200, [(b"content-type", b"text/plain; charset=utf-8"), NOT_CACHED])
    if exchange.scope["method"] == "HEAD":
        await exchange.send({"type": "http.response.body"})
        return
    with counted(exchange.tally):
        await until_disconnect(exchange.receive, partial(send_words, exchange, interval))


def stream_interval(exchange: Exchange) -> float | None:
    """Return the seconds between two words, or None if the query asks for nonsense."""
    query = parse_qs(exchange.scope["query_string"].decode("latin-1"))
    text = query.get("interval", ["120"])[-1]
    milliseconds = int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else -1
    return milliseconds / 1000 if 0 <= milliseconds <= 2000 else None


async def send_words(exchange: Exchange, interval: float) -> None:
    """Send the words as response body, `interval` seconds apart."""
    for position, word in enumerate(TEXT.split(" ")):
        if position:
            await anyio.sleep(interval)
        await exchange.send_chunk(word.encode() + b" ")
    await exchange.send({"type": "http.response.body"})


async def measure_upload(exchange: Exchange) -> None:
    """Read the request body, keep none of it, and answer with its size, hash and speed.

    A client that disconnects in mid-body gets no answer: nobody is there to read it.
    """
    size, digest, started_at = 0, hashlib.sha256(), time.perf_counter()
    more_body = True
    while more_body:
        message = await exchange.receive()
        if message["type"] == "http.disconnect":
            return
        body = message.get("body", b"")
        size += len(body)
        digest.update(body)
        more_body = message.get("more_body", False)
    seconds = time.perf_counter() - started_at
    speed = size / seconds if seconds else 0.0
    answer = {"bytes": size, "seconds": seconds, "bytes_per_second": speed}
    await exchange.respond_json({**answer, "sha256": digest.hexdigest()})


async def send_events(exchange: Exchange) -> None:
    """Send server-sent events until the client leaves or the server stops.

    Source: HTML standard, section 9.2.
    """
    await exchange.start(200, [(b"content-type", b"text/event-stream"), NOT_CACHED])
    if exchange.scope["method"] == "HEAD":
        await exchange.send({"type": "http.response.body"})
        return
    with counted(exchange.tally):
        await until_disconnect(exchange.receive, partial(send_ticks, exchange))


async def send_ticks(exchange: Exchange) -> None:
    """Send one event a second until the server stops; a late one does not delay the next."""
    await exchange.send_chunk(b"retry: %d\n\n" % RETRY)
    next_at = anyio.current_time()
    stops = False
    while not stops:
        await exchange.send_chunk(tick(exchange.tally))
        next_at = max(next_at + EVENT_INTERVAL, anyio.current_time())
        stops = await stops_before(exchange, next_at)
    await exchange.send({"type": "http.response.body"})


async def stops_before(exchange: Exchange, time: float) -> bool:
    """Sleep until a time, but no longer than the server serves; tell whether it stops."""
    shutdown = exchange.scope.get("extensions", {}).get("esg.shutdown")
    with anyio.CancelScope(deadline=time):
        # Another server than ESG does not tell.
        await (shutdown["wait"]() if shutdown else anyio.sleep_forever())
        return True
    return False


def tick(tally: Tally) -> bytes:
    """Return one event: the server's clock and counts."""
    data = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "uptime": tally.uptime,
        "requests": tally.requests,
        "open_responses": tally.open_responses,
    }
    return f"data: {json.dumps(data)}\n\n".encode()


@contextmanager
def counted(tally: Tally) -> Iterator[None]:
    """Count a response as open for the length of the block."""
    tally.open_responses += 1
    try:
        yield
    finally:
        tally.open_responses -= 1
