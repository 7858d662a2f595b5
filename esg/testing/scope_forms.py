"""What an HTTP, WebSocket or lifespan scope must look like: the server's side of ASGI."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from esg.asgi import HTTP_SPEC_VERSION
from esg.testing import value_forms as form
from esg.testing.message_forms import Key, check_keys
from esg.testing.violation import ASGI, HTTP, LIFESPAN, TLS, WEBSOCKET, Forbidden

_VERSION: Final = re.compile(r"\d+\.\d+")


def _one_of(*allowed: str) -> form.Form:
    def check(value: Any) -> str | None:
        return None if value in allowed else f"must be one of {', '.join(allowed)}, got {value!r}"

    return check


def _method(value: Any) -> str | None:
    wrong = form.non_empty_string(value)
    return wrong or (None if value == value.upper() else f"must be uppercased, got {value!r}")


def _raw_path(value: Any) -> str | None:
    wrong = form.byte_string(value)
    return wrong or (f"must exclude the query string, got {value!r}" if b"?" in value else None)


def _versions(value: Any) -> str | None:
    wrong = form.mapping(value)
    if wrong:
        return wrong
    if "version" not in value:
        return "has no 'version'"
    for name, version in value.items():
        if name in ("version", "spec_version") and not (
            isinstance(version, str) and _VERSION.fullmatch(version)
        ):
            return f"has the {name} {form.kind(version)}, which must be a string such as '2.0'"
    return None


_ASGI: Final = Key("asgi", _versions, required=True)
_STATE: Final = Key("state", form.mapping)
_EXTENSIONS: Final = Key("extensions", form.optional(form.mapping))
_CONNECTION: Final = (
    _ASGI,
    Key("path", form.unicode_string, required=True),
    Key("raw_path", form.optional(_raw_path)),
    Key("root_path", form.unicode_string),
    Key("scheme", form.non_empty_string),
    Key("headers", form.request_headers, required=True),
    Key("client", form.optional(form.address)),
    Key("server", form.optional(form.own_address)),
    _STATE,
    _EXTENSIONS,
)

_SCOPES: Final[Mapping[str, tuple[str, tuple[Key, ...]]]] = {
    "http": (
        f'{HTTP}, "HTTP Connection Scope"',
        (
            *_CONNECTION,
            Key("http_version", _one_of("1.0", "1.1", "2"), required=True),
            Key("method", _method, required=True),
            Key("query_string", form.byte_string, required=True),
        ),
    ),
    "websocket": (
        f'{WEBSOCKET}, "Websocket Connection Scope"',
        (
            *_CONNECTION,
            Key("http_version", _one_of("1.1", "2")),
            Key("query_string", form.optional(form.byte_string)),
            Key("subprotocols", form.iterable_of(form.unicode_string)),
        ),
    ),
    "lifespan": (f'{LIFESPAN}, "Scope"', (_ASGI, _STATE)),
}
_TLS: Final = (
    Key("server_cert", form.optional(form.unicode_string), required=True),
    Key("client_cert_chain", form.iterable_of(form.unicode_string)),
    Key("client_cert_name", form.optional(form.unicode_string)),
    Key("client_cert_error", form.optional(form.non_empty_string)),
    Key("tls_version", form.optional(form.non_negative), required=True),
    Key("cipher_suite", form.optional(form.non_negative), required=True),
)


def check_type(scope: object) -> None:
    """Check that a scope is a dict that says what it is.

    Raises:
        Forbidden: it is not.
    """
    applications = f'{ASGI}, "Applications"'
    wrong = form.mapping(scope)
    if wrong or not isinstance(scope, dict):
        raise Forbidden(f"a scope that {wrong}", applications)
    if not isinstance(scope.get("type"), str):
        raise Forbidden("a scope without a type that is a Unicode string", applications)


def check_scope(scope: Mapping[str, Any]) -> None:
    """Check a scope of a type that the specification knows.

    Raises:
        Forbidden: it is not as specified.
    """
    clause, keys = _SCOPES[scope["type"]]
    check_keys(scope, keys, "2.0", "a scope", clause)
    _check_extensions(extensions_of(scope), clause)


def _check_extensions(extensions: Mapping[str, Any], clause: str) -> None:
    for name, details in extensions.items():
        wrong = form.mapping(details)
        if wrong:
            raise Forbidden(f"a scope: the extension {name!r} {wrong}", clause)
    if "tls" not in extensions:
        return
    tls, clause = extensions["tls"], f'{TLS}, "TLS Connection Scope"'
    check_keys(tls, _TLS, "2.0", "a scope: the extension 'tls'", clause)
    if list(tls.get("client_cert_chain", ())) and not tls.get("client_cert_name"):
        raise Forbidden("a scope: client_cert_chain comes without client_cert_name", clause)


def extensions_of(scope: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the server of a scope offers."""
    found = scope.get("extensions")
    return found if isinstance(found, dict) else {}


def spec_version_of(scope: Mapping[str, Any]) -> str:
    """Return the specification's version that the server of a scope keeps to, 2.0 by default.

    Of a server that breaks the rules for telling it, nothing can be known, and no old version blamed
    on the application.
    """
    versions = scope.get("asgi")
    if not isinstance(versions, dict):
        return HTTP_SPEC_VERSION
    found = versions.get("spec_version", "2.0")
    known = isinstance(found, str) and _VERSION.fullmatch(found)
    return found if known else HTTP_SPEC_VERSION
