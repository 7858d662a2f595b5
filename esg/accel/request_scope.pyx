# cython: binding=False
"""The scope of a request: `rules.scope`, or a copy of what a connection's last one had.

What all scopes of a connection have in common is kept with it; all that is mutable is new each
time, as nothing of one request may reach another.
"""

from esg.accel.connection cimport Connection
from esg.accel.rules.request_head cimport RequestHead
from esg.accel.rules.scope cimport decode_path
from esg.accel.serving cimport Serving

from esg.accel.rules.scope import http_scope
from esg.asgi import ASGI_VERSION, HTTP_SPEC_VERSION

cdef dict _ASGI = {"version": ASGI_VERSION, "spec_version": HTTP_SPEC_VERSION}


cdef dict request_scope(Connection connection, RequestHead head):
    """Make the scope of a request on a connection."""
    cdef Serving serving = connection.serving
    if connection.scope_base is not None and head.http_version == "1.1":
        return _plain_scope(connection, head)
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
    if head.http_version == "1.1":
        connection.scope_base = scope.copy()
        # Nothing of this request stays with the connection, but for its request line.
        connection.scope_base.update(dict.fromkeys(("headers", "state", "extensions")))
    return scope


cdef dict _plain_scope(Connection connection, RequestHead head):
    """Make a scope of what the connection's last one had and cannot have changed."""
    cdef Serving serving = connection.serving
    cdef dict base = connection.scope_base
    cdef dict scope
    cdef dict extensions = {}
    # Most clients ask for the same again, or at least in the same way.
    if <bytes> base["raw_path"] != head.raw_path:
        base["raw_path"] = head.raw_path
        base["path"] = decode_path(head.raw_path, serving.root_path)
    if base["method"] is not head.method:
        base["method"] = head.method
    if <bytes> base["query_string"] != head.query:
        base["query_string"] = head.query
    scope = base.copy()
    scope["asgi"] = _ASGI.copy()
    scope["headers"] = head.headers
    scope["state"] = serving.state.copy()
    for name, value in connection.offered().items():
        extensions[name] = (<dict> value).copy()
    extensions["http.response.pathsend"] = {}
    extensions["http.response.zerocopysend"] = {}
    extensions["http.response.early_hint"] = {}
    if head.takes_trailers:
        extensions["http.response.trailers"] = {}
    scope["extensions"] = extensions
    return scope
