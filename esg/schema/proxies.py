"""Settings: what is believed of proxies in front of the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from esg.options import setting
from esg.rules.proxy_headers import ProxyHeaders
from esg.rules.trusted_proxies import TrustedProxies

_HEADING = "Proxies"


def _text(value: Any) -> str:
    """Take a text with commas, or a list."""
    if isinstance(value, (list, tuple)) and all(isinstance(word, str) for word in value):
        return ",".join(value)
    if not isinstance(value, str):
        raise ValueError("must be a text with commas between its words, or a list of strings")
    return value


def _allowed(value: Any) -> str:
    text = _text(value)
    TrustedProxies(text)
    return text


def _fields(value: Any) -> str:
    text = _text(value)
    ProxyHeaders(TrustedProxies(""), text)
    return text


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class ProxySettings:
    """What is believed of proxies in front of the server."""

    proxy_headers: bool = setting(
        True, "Believe what trusted proxies say of a request: its client, its scheme.", _HEADING
    )
    forwarded_allow_ips: str = setting(
        "127.0.0.1",
        "Trusted proxies: addresses, networks, paths of UNIX sockets, unix for all of these, * for "
        "everyone.",
        _HEADING,
        metavar="LIST",
        parse=_allowed,
        fallback="FORWARDED_ALLOW_IPS",
    )
    forwarded_fields: str = setting(
        "for,proto",
        "What is believed: some of for, proto, host, port and prefix, of X-Forwarded-For and so "
        "on; or forwarded, the field of RFC 7239.",
        _HEADING,
        metavar="LIST",
        parse=_fields,
    )
    proxy_protocol: bool = setting(
        False,
        "Connections begin with a PROXY protocol header (v1 or v2) of a trusted proxy; others are "
        "closed.",
        _HEADING,
    )
