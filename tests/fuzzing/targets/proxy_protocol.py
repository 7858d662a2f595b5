"""A PROXY protocol header: one verdict by either twin, as soon as it is certain."""

from __future__ import annotations

from ipaddress import ip_address
from types import ModuleType
from typing import Any

from esg.asgi import Receive, Scope, Send
from esg.errors import ProxyHeaderRejected
from tests.fuzzing.fast_connection import Call, FastConnection, FastServer
from tests.fuzzing.given import Given
from tests.rules.twins import find_twins

TWINS = find_twins("proxy_protocol")
SERVER = FastServer(proxy_protocol=True, forwarded_allow_ips="*")
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
_MOST_PREFIXES = 64


def check(given: Given) -> None:
    """Read a header, and every beginning of it; and let a connection begin with it."""
    data = given.stream
    whole = _read(TWINS["interpreted"], data)
    for rule in TWINS.values():
        assert _read(rule, data) == whole
        # What has come once decides for ever: more bytes change neither verdict nor ends.
        for size in range(max(0, len(data) - _MOST_PREFIXES), len(data)):
            assert _read(rule, data[:size]) in (None, whole)
    calls = _served([data, GET])
    assert _served([*given.pieces, GET]) == calls
    if isinstance(whole, tuple):
        size, tells, _, client, server = whole
        assert size <= TWINS["interpreted"].LONGEST
        assert tells or client is server is None
        assert len(calls) == 1 or size < len(data)
        for end in (client, server):
            if end is not None and end[1] is not None:
                assert str(ip_address(end[0])) == end[0]
                assert 0 <= end[1] <= 65535


def _served(pieces: list[bytes]) -> list[Any]:
    """Return the scopes of the requests that follow a header on a connection of the fast driver."""

    async def app(seen: Call, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()

    connection = FastConnection(SERVER, app)
    with connection.playing() as transport:
        for piece in pieces:
            transport.receive(piece)
            SERVER.loop.run()
        transport.receive_eof()
        SERVER.loop.run()
        transport.lose()
    return [call.scope for call in connection.calls]


def _read(rule: ModuleType, data: bytes) -> Any:
    """Return the ends that a header tells, "rejected", or None where more must come."""
    try:
        header = rule.read(data)
    except ProxyHeaderRejected:
        return "rejected"
    if header is None:
        return None
    return (header.size, header.tells_ends, header.is_local, header.client, header.server)
