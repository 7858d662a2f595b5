"""What every scope must look like, whatever the case (ASGI HTTP 2.5, the connection scopes)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Scope = dict[str, Any]

# Fields in which a proxy says how it was asked.
TELL_THE_SCHEME = {b"forwarded", b"x-forwarded-proto"}
SCHEMES = {"http": "http", "websocket": "ws"}
# What they are called over TLS.
SECURED = {"http": "https", "ws": "wss"}
_VERSIONS = (0x0301, 0x0302, 0x0303, 0x0304)


def scope_violations(scope: Scope, secure: bool = False, exact: bool = True) -> Iterator[str]:
    """Yield each rule of the ASGI specification that a connection's scope breaks.

    Args:
        scope: of a call.
        secure: it came over TLS.
        exact: hold the server to what the specification only recommends, too.
    """
    if scope.get("type") not in SCHEMES:
        return
    yield from _versions(scope)
    yield from _strings(scope)
    yield from _security(scope, secure)
    if scope["type"] == "websocket":
        yield from _websocket(scope)
    yield from _headers(scope.get("headers"), exact)
    yield from _addresses(scope)


def _versions(scope: Scope) -> Iterator[str]:
    asgi = scope.get("asgi")
    if not isinstance(asgi, dict) or asgi.get("version") != "3.0":
        yield f"scope['asgi'] is {asgi!r}"
    elif not isinstance(asgi.get("spec_version", "2.0"), str):
        yield f"spec_version is {asgi['spec_version']!r}"
    # A WebSocket's scope may do without: it means 1.1.
    version = scope.get("http_version", "1.1" if scope["type"] == "websocket" else None)
    if version not in ("1.0", "1.1"):
        yield f"http_version is {version!r}"


def _strings(scope: Scope) -> Iterator[str]:
    for name in ("method", "scheme", "path", "root_path"):
        if not isinstance(scope.get(name, ""), str):
            yield f"scope[{name!r}] is no str"
    for name in ("raw_path", "query_string"):
        if not isinstance(scope.get(name) or b"", bytes):
            yield f"scope[{name!r}] is no bytes"


def _security(scope: Scope, secure: bool) -> Iterator[str]:
    plain = SCHEMES[scope["type"]]
    scheme = SECURED[plain] if secure else plain
    names = {name for name, _ in scope.get("headers") or ()}
    if scope.get("scheme", scheme) != scheme and not names & TELL_THE_SCHEME:
        yield f"scheme is {scope['scheme']!r} {'with' if secure else 'without'} TLS"
    tls = (scope.get("extensions") or {}).get("tls")
    if tls is None:
        return
    if not secure:
        yield "scope['extensions'] has 'tls' without TLS"
    elif isinstance(tls, dict):
        yield from _tls(tls)
    else:
        yield f"the extension 'tls' is {tls!r}"


def _tls(tls: dict[str, Any]) -> Iterator[str]:
    """Yield what breaks the ASGI TLS extension 0.2, for a client without a certificate."""
    certificate = tls.get("server_cert", "")
    if not (certificate is None or _is_pem(certificate)):
        yield f"server_cert is {certificate!r}"
    if list(tls.get("client_cert_chain", ())) or tls.get("client_cert_name") is not None:
        yield "the client has no certificate"
    if tls.get("client_cert_error") is not None:
        yield f"client_cert_error is {tls['client_cert_error']!r}"
    for name, allowed in (("tls_version", _VERSIONS), ("cipher_suite", range(0x10000))):
        if name not in tls or not (tls[name] is None or tls[name] in allowed):
            yield f"{name} is {tls.get(name)!r}"


def _is_pem(text: Any) -> bool:
    return isinstance(text, str) and text.startswith("-----BEGIN CERTIFICATE-----\n")


def _websocket(scope: Scope) -> Iterator[str]:
    if "method" in scope:
        yield f"a websocket scope has a method: {scope['method']!r}"
    offered = scope.get("subprotocols", [])
    if not isinstance(offered, (list, tuple)) or not all(isinstance(n, str) for n in offered):
        yield f"subprotocols are {offered!r}"


def _headers(headers: Any, exact: bool) -> Iterator[str]:
    if not isinstance(headers, (list, tuple)):
        yield f"scope['headers'] is {headers!r}"
        return
    for pair in headers:
        if len(pair) != 2 or not all(isinstance(item, bytes) for item in pair):
            yield f"header {pair!r} is no pair of bytes"
        elif exact and pair[0] != pair[0].lower():
            yield f"header name {pair[0]!r} is not lower-cased"


def _addresses(scope: Scope) -> Iterator[str]:
    for name in ("client", "server"):
        address = scope.get(name)
        if address is None:
            continue
        host_port = isinstance(address, (list, tuple)) and len(address) == 2
        if not host_port or not isinstance(address[0], str):
            yield f"scope[{name!r}] is {address!r}"
        elif address[1] is not None and not isinstance(address[1], int):
            yield f"scope[{name!r}] has a port that is no int: {address!r}"
