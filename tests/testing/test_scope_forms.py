"""Scopes that a server must not make, each with its clause."""

from __future__ import annotations

from typing import Any

import pytest

from esg.asgi import Scope
from esg.testing import validate
from tests.testing.calls import (
    BODY,
    START,
    call,
    http_scope,
    lifespan_scope,
    sending,
    violation,
    websocket_scope,
)

CONNECTION: dict[str, tuple[dict[str, Any], str]] = {
    "asgi as text": ({"asgi": "3.0"}, "'asgi' must be a dict"),
    "no version": ({"asgi": {}}, "'asgi' has no 'version'"),
    "version as number": ({"asgi": {"version": 3.0}}, "has the version float 3.0"),
    "spec_version in words": (
        {"asgi": {"version": "3.0", "spec_version": "two"}},
        "has the spec_version 'two'",
    ),
    "path as bytes": ({"path": b"/"}, "'path' must be a Unicode string"),
    "raw_path as text": ({"raw_path": "/"}, "'raw_path' must be a byte string"),
    "raw_path with a query": ({"raw_path": b"/?a"}, "'raw_path' must exclude the query string"),
    "root_path": ({"root_path": None}, "'root_path' must be a Unicode string"),
    "empty scheme": ({"scheme": ""}, "'scheme' must not be empty"),
    "query_string as text": ({"query_string": ""}, "'query_string' must be a byte string"),
    "headers as None": ({"headers": None}, "'headers' must be an iterable"),
    "header as text": ({"headers": [("a", "b")]}, "'headers' has an item that must be a byte"),
    "pseudo header": ({"headers": [(b":path", b"/")]}, "has the pseudo header b':path'"),
    "client as text": ({"client": "127.0.0.1:1"}, "'client' must be a two-item iterable"),
    "client of three": ({"client": ("::1", 1, 0)}, "'client' must have two items"),
    "port as text": ({"client": ("::1", "1")}, "'client' must be an int, got '1'"),
    "client without port": ({"client": ("::1", None)}, "'client' must be an int"),
    "host as bytes": ({"server": (b"::1", 1)}, "'server' must be a Unicode string"),
    "state": ({"state": []}, "'state' must be a dict"),
    "extensions": ({"extensions": ["a"]}, "'extensions' must be a dict"),
    "an extension": ({"extensions": {"a": None}}, "the extension 'a' must be a dict"),
}
HTTP: dict[str, tuple[dict[str, Any], str]] = {
    "method in small letters": ({"method": "get"}, "'method' must be uppercased, got 'get'"),
    "http_version": ({"http_version": "2.0"}, "'http_version' must be one of"),
    "empty method": ({"method": ""}, "'method' must not be empty"),
}
WEBSOCKET: dict[str, tuple[dict[str, Any], str]] = {
    "HTTP/1.0": ({"http_version": "1.0"}, "'http_version' must be one of 1.1, 2"),
    "subprotocols as text": ({"subprotocols": "chat"}, "'subprotocols' must be an iterable"),
    "subprotocol as bytes": ({"subprotocols": [b"chat"]}, "'subprotocols' has an item"),
}
TLS = {"server_cert": None, "tls_version": 0x0304, "cipher_suite": 0x1301}
TLS_FORMS: dict[str, tuple[dict[str, Any], str]] = {
    "version as text": ({"tls_version": "1.3"}, "'tls_version' must be an int"),
    "chain without name": ({"client_cert_chain": ["PEM"]}, "without client_cert_name"),
    "chain as text": ({"client_cert_chain": "PEM"}, "must be an iterable"),
    "empty error": ({"client_cert_error": ""}, "must not be empty"),
}


@pytest.mark.parametrize("name", CONNECTION | HTTP)
def test_http_scope(name: str) -> None:
    changes, what = (CONNECTION | HTTP)[name]
    found = violation(sending(START, BODY), http_scope(**changes))
    assert found.culprit == "server"
    assert found.what.startswith("made a scope: ")
    assert what in found.what
    assert '"HTTP Connection Scope"' in found.clause


@pytest.mark.parametrize("name", CONNECTION | WEBSOCKET)
def test_websocket_scope(name: str) -> None:
    changes, what = (CONNECTION | WEBSOCKET)[name]
    found = violation(sending(), websocket_scope(**changes))
    assert what in found.what
    assert '"Websocket Connection Scope"' in found.clause


@pytest.mark.parametrize("missing", ["asgi", "http_version", "method", "path", "query_string"])
def test_what_an_http_scope_must_have(missing: str) -> None:
    scope = http_scope()
    del scope[missing]
    assert f"{missing!r} is missing" in violation(sending(START, BODY), scope).what


def test_lifespan_scope() -> None:
    found = violation(sending(), lifespan_scope(state=None))
    assert found.what == "made a scope: 'state' must be a dict, got NoneType None"
    assert (found.where, found.clause) == ("lifespan", 'ASGI Lifespan 2.0, "Scope"')


@pytest.mark.parametrize("name", TLS_FORMS)
def test_tls(name: str) -> None:
    changes, what = TLS_FORMS[name]
    found = violation(sending(START, BODY), http_scope(extensions={"tls": TLS | changes}))
    assert what in found.what
    assert found.clause == 'ASGI TLS 0.2, "TLS Connection Scope"'


@pytest.mark.parametrize("missing", TLS)
def test_what_tls_must_have(missing: str) -> None:
    tls = {name: value for name, value in TLS.items() if name != missing}
    found = violation(sending(START, BODY), http_scope(extensions={"tls": tls}))
    assert f"the extension 'tls': {missing!r} is missing" in found.what


@pytest.mark.parametrize(
    ("scope", "what"),
    [
        (["http"], "a scope that must be a dict"),
        ({b"type": "http"}, "has the key b'type'"),
        ({}, "a scope without a type"),
        ({"type": b"http"}, "a scope without a type"),
    ],
)
def test_no_scope_at_all(scope: Scope, what: str) -> None:
    found = violation(sending(), scope)
    assert what in found.what
    assert found.clause == 'ASGI 3.0, "Applications"'


@pytest.mark.parametrize(
    "changes",
    [
        {"client": None, "server": None, "extensions": None, "raw_path": None},
        {"client": ["::1", 1], "server": ["/run/app.sock", None]},
        {"headers": (), "scheme": "https", "method": "BREW", "http_version": "2"},
        {"headers": [[b"MiXed", b"\xff"]], "asgi": {"version": "3.0"}, "another": object()},
        {
            "extensions": {
                "tls": {**TLS, "client_cert_chain": ["PEM"], "client_cert_name": "CN=x"},
            }
        },
    ],
)
def test_lawful_scopes(changes: dict[str, Any]) -> None:
    assert call(validate(sending(START, BODY)), http_scope(**changes)) == [START, BODY]


def test_what_an_http_scope_may_lack() -> None:
    scope = http_scope()
    for name in ("scheme", "raw_path", "root_path", "client", "server", "extensions", "state"):
        del scope[name]
    assert call(validate(sending(START, BODY)), scope) == [START, BODY]


def test_a_protocol_that_the_specification_does_not_know() -> None:
    telepathy = {"type": "telepathy"}
    assert call(validate(sending({"think": object()})), telepathy)
