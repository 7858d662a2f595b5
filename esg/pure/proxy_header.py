"""The PROXY protocol header that a connection begins with, before TLS and HTTP.

What it is, `rules.proxy_protocol` says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from esg.errors import ProxyHeaderRejected
from esg.rules import proxy_protocol

if TYPE_CHECKING:
    from esg.pure.http_connection import HttpConnection
    from esg.rules.proxy_protocol import ProxyHeader


async def take_proxy_header(connection: HttpConnection) -> bool:
    """Read the header and take what it tells; tell whether the connection lives on.

    Raises:
        OSError: the connection is lost.
    """
    transport = connection.transport
    try:
        if not connection.service.trusted_proxies.trusts_peer(transport.client, transport.server):
            raise ProxyHeaderRejected("its peer is no trusted proxy (--forwarded-allow-ips)")
        header = await _read(connection)
    except ProxyHeaderRejected as rejected:
        connection.service.proxy_header_rejected(transport.client, str(rejected))
        connection.drop()
        return False
    if header is not None and header.tells_ends:
        transport.client, transport.server = header.client, header.server
        connection.proxied = header.client is not None and connection.service.believes(
            header.client, header.server
        )
    elif header is not None and not header.is_local:
        connection.proxied = False
    return header is not None


async def _read(connection: HttpConnection) -> ProxyHeader | None:
    """Read the header, and nothing of what follows it; None where the connection has ended.

    Raises:
        ProxyHeaderRejected: it is none.
        OSError: the connection is lost.
    """
    transport = connection.transport
    taken = b""
    while not connection.lost:
        data = transport.peek_nowait(proxy_protocol.LONGEST)
        if data:
            header = proxy_protocol.read(taken + data)
            transport.skip_nowait(len(data) if header is None else header.size - len(taken))
            if header is not None:
                return header
            taken += data
        elif taken and data is not None:
            raise ProxyHeaderRejected("it ends early")
        elif data is not None or (connection.service.closes_idle and not taken):
            connection.drop()
        elif connection.expired:
            raise ProxyHeaderRejected("it does not come in time")
        else:
            await connection.wait_for_input()
    return None
