"""Certificates by server name: how they are written, and which one a client's name gets.

Must not know TLS. Source: RFC 6066 section 3, names in the ClientHello; RFC 9525 section 6.3,
wildcards; RFC 5891, A-labels.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

_FORM = "must look like HOST=CERT,KEY"
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_LONGEST_NAME = 253

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NamedCertificate:
    """Hold a host's certificate.

    Args:
        host: in lower case, as A-labels; "*." at its front stands for any one label.
        certfile: the certificate's file.
        keyfile: its key's; None where both are in one file.
    """

    host: str
    certfile: str
    keyfile: str | None


def parse_named_certificate(text: str) -> NamedCertificate:
    """Read "HOST=CERT,KEY", or "HOST=CERT" where the key is in the same file.

    Raises:
        ValueError: saying what is wrong.
    """
    host, _, files = text.partition("=")
    certfile, comma, keyfile = (part.strip() for part in files.partition(","))
    if not certfile or (comma and not keyfile) or "," in keyfile:
        raise ValueError(_FORM)
    return NamedCertificate(_host(host.strip()), certfile, keyfile or None)


def chosen(server_name: str | None, by_host: Mapping[str, T]) -> T | None:
    """Return what a client gets that asks for a name, None if nothing bears it.

    Args:
        server_name: as the client sent it; None if it sent none.
        by_host: keys as in `NamedCertificate`. The name itself goes before a wildcard.
    """
    if server_name is None:
        return None
    name = server_name.lower().removesuffix(".")
    return by_host.get(name) or by_host.get(f"*.{name.partition('.')[2]}")


def _host(text: str) -> str:
    wildcard = "*." if text.startswith("*.") else ""
    name = _a_labels(text.removeprefix("*.").removesuffix(".").lower())
    if len(name) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, name.split("."))):
        raise ValueError(f"{_FORM}, with a HOST such as example.org or *.example.org")
    if not wildcard and _is_address(name):
        raise ValueError("clients send no server name for an address; only host names have one")
    return wildcard + name


def _a_labels(name: str) -> str:
    if name.isascii():
        return name
    import idna  # noqa: PLC0415 - its tables are large

    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise ValueError(f"HOST is no international name: {error}") from None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
