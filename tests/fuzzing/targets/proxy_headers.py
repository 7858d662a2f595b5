"""What proxies say of a request: both twins believe the same, and nothing that is no address."""

from __future__ import annotations

import re
from ipaddress import ip_address
from types import ModuleType
from typing import Any

from tests.fuzzing.given import Given
from tests.fuzzing.lines import field_lines
from tests.rules.twins import find_twins

HEADERS = find_twins("proxy_headers")
TRUSTED = find_twins("trusted_proxies")
FIELDS = ("for,proto,host,port,prefix", "forwarded", "for", "proto,host")
ALLOWED = ("10.0.0.0/8,::1,192.0.2.1", "*", "unix,/run/a.sock")
_PATH = re.compile(r"(/[0-9A-Za-z\-._~!$&'()*+;=:@]+)*")
_HOST = re.compile(rb"[0-9A-Za-z._\-\[\]:]*")


def check(given: Given) -> None:
    """Amend a scope."""
    fields, allowed = given.one_of(FIELDS), given.one_of(ALLOWED)
    kind, scheme = given.one_of([("http", "http"), ("websocket", "wss")])
    headers = [(b"host", b"example.org"), *field_lines(given.stream)]
    scopes = []
    for name, rule in HEADERS.items():
        scope = {
            "type": kind,
            "scheme": scheme,
            "path": "/a",
            "root_path": "",
            "client": ("10.0.0.1", 1),
            "server": ("10.0.0.2", 80),
            "headers": headers,
        }
        before = list(headers)
        _amend(rule, TRUSTED[name], scope, fields, allowed)
        assert headers == before  # the list is others', too
        scopes.append(scope)
    assert all(scope == scopes[0] for scope in scopes)
    _check_scope(scopes[0])


def _amend(
    rule: ModuleType, trusted: ModuleType, scope: dict[str, Any], fields: str, allowed: str
) -> None:
    rule.ProxyHeaders(trusted.TrustedProxies(allowed), fields).amend(scope)


def _check_scope(scope: dict[str, Any]) -> None:
    host, port = scope["client"]
    assert str(ip_address(host)) == host
    assert 0 <= port <= 65535
    assert scope["scheme"] in (("ws", "wss") if scope["type"] == "websocket" else ("http", "https"))
    name, port = scope["server"]
    assert name
    assert name.isascii()
    assert 0 < port <= 65535
    assert _PATH.fullmatch(scope["root_path"])
    assert scope["path"].startswith(scope["root_path"] or "/")
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    assert _HOST.fullmatch(hosts[0])
