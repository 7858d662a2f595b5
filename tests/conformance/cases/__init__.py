"""All cases, by group; a group is a module, or a package, that holds a tuple `CASES`."""

from __future__ import annotations

import importlib

from tests.conformance.model import Case

GROUPS = (
    "request_syntax",
    "request_fields",
    "message_framing",
    "persistence",
    "limits_and_timeouts",
    "asgi_scope",
    "asgi_receive",
    "asgi_send",
    "asgi_errors",
    "asgi_disconnect",
    "asgi_extensions",
    "asgi_files",
    "proxies",
    "proxy_protocol",
    "lifespan",
    "shutdown",
    "websocket_handshake",
    "websocket_accept",
    "websocket_frames",
    "websocket_deflate",
    "websocket_session",
    "websocket_operation",
)


def _load() -> tuple[Case, ...]:
    cases: list[Case] = []
    for group in GROUPS:
        module = importlib.import_module(f"tests.conformance.cases.{group}")
        cases += [case.named(group) for case in module.CASES]
    names = [case.id for case in cases]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"case ids used twice: {sorted(twice)}")
    return tuple(cases)


ALL_CASES = _load()
