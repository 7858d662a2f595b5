# cython: binding=False
"""The scope of a request: `rules.scope`, or what the connection's template makes of it."""

from esg.accel.connection cimport Connection
from esg.accel.octets cimport is_text
from esg.accel.rules.request_head cimport RequestHead
from esg.accel.scope_template cimport scope_template
from esg.accel.serving cimport Serving

from esg.accel.rules.scope import http_scope


cdef dict request_scope(Connection connection, RequestHead head):
    """Make the scope of a request on a connection."""
    cdef Serving serving = connection.serving
    cdef bint is_plain = is_text(head.http_version, "1.1", 3)
    if is_plain and connection.scopes is not None:
        return connection.scopes.scope(head, serving.state, serving.root_path)
    scope = http_scope(
        method=head.method,
        http_version=head.http_version,
        raw_path=head.raw_path,
        query=head.query,
        headers=head.headers,
        scheme=connection.scheme,
        client=connection.client,
        server=connection.server,
        root_path=serving.root_path,
        state=serving.state,
        extensions=connection.offered(),
        takes_trailers=head.takes_trailers,
    )
    if is_plain:
        connection.scopes = scope_template(scope)
    return scope
