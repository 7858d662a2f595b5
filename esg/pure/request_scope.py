"""From a connection and a judged head to the ASGI scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from esg.asgi import Scope
from esg.rules.request_head import RequestHead
from esg.rules.scope import http_scope

if TYPE_CHECKING:
    from esg.pure.http_connection import HttpConnection


def request_scope(connection: HttpConnection, head: RequestHead) -> Scope:
    """Return the scope of one request."""
    service = connection.service
    scope = http_scope(
        method=head.method,
        http_version=head.http_version,
        raw_path=head.raw_path,
        query=head.query,
        headers=head.headers,
        scheme=connection.transport.scheme,
        client=connection.transport.client,
        server=connection.transport.server,
        root_path=service.config.root_path,
        state=service.state,
        extensions=connection.extensions,
        takes_trailers=head.takes_trailers,
    )
    if head.forwarded and connection.proxied:
        service.proxy_headers.amend(scope)
    return scope
