"""Settings: TLS."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, TypeVar

from esg.options import flag_name, option_of, setting
from esg.server_names import parse_named_certificate

_HEADING: Final = "TLS"
T = TypeVar("T")
# As Python's ssl numbers them; the others are for clients, or older than TLS 1.2.
_TLS_1_2_ONLY: Final = 5
_VERSIONS: Final[dict[object, int | str]] = {
    **dict.fromkeys((17, "17", 2, "2", "tls1.2"), 17),
    **dict.fromkeys((_TLS_1_2_ONLY, str(_TLS_1_2_ONLY)), _TLS_1_2_ONLY),
    "tls1.3": "tls1.3",
}
_CERT_REQS: Final[dict[object, int]] = {
    **dict.fromkeys((0, "0", "none"), 0),
    **dict.fromkeys((1, "1", "optional"), 1),
    **dict.fromkeys((2, "2", "required"), 2),
}
_LONGEST_PASSWORD: Final = 1024  # bytes; OpenSSL takes no longer ones


def _version(value: Any) -> int | str:
    allowed = "must be tls1.2, tls1.3, or 17, 5 or 2 as Python's ssl numbers protocols"
    return _looked_up(value, _VERSIONS, allowed)


def _cert_reqs(value: Any) -> int:
    return _looked_up(value, _CERT_REQS, "must be none (0), optional (1) or required (2)")


def _looked_up(value: Any, table: Mapping[object, T], allowed: str) -> T:
    word = value.lower() if isinstance(value, str) else value
    if isinstance(word, (str, int)) and not isinstance(word, bool) and word in table:
        return table[word]
    raise ValueError(allowed)


def _path(value: Any) -> str:
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(path, str) or not path:
        raise ValueError("must be a file's path")
    return path


def _password(value: Any) -> str:
    if not isinstance(value, str) or len(value.encode()) > _LONGEST_PASSWORD:
        raise ValueError(f"must be a string of {_LONGEST_PASSWORD} bytes at most")
    return value


def _named_certificates(value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise ValueError("must be a list of HOST=CERT,KEY")
    pairs = tuple(value)
    hosts: set[str] = set()
    for pair in pairs:
        if not isinstance(pair, str):
            raise ValueError("must be a list of strings")
        host = parse_named_certificate(pair).host
        if host in hosts:
            raise ValueError(f"must name each host once: {host} is there twice")
        hosts.add(host)
    return pairs


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class TLSSettings:
    """How TLS is spoken: it is once there is a certificate."""

    ssl_certfile: str | None = setting(
        None,
        "Certificate and its chain, in PEM; the server speaks TLS.",
        _HEADING,
        metavar="PATH",
        parse=_path,
    )
    ssl_keyfile: str | None = setting(
        None,
        "The certificate's key, in PEM; else it is in the certificate's file.",
        _HEADING,
        metavar="PATH",
        parse=_path,
    )
    ssl_keyfile_password: str | None = setting(
        None, "Password of encrypted keys.", _HEADING, parse=_password, secret=True
    )
    ssl_sni: tuple[str, ...] = setting(
        (),
        "Certificate for clients that ask for HOST, such as example.org or *.example.org; "
        "repeatable.",
        _HEADING,
        metavar="HOST=CERT,KEY",
        repeatable=True,
        parse=_named_certificates,
    )
    ssl_cert_reqs: int = setting(
        0,
        "Certificates of clients: none (0), optional (1) or required (2).",
        _HEADING,
        metavar="[none|optional|required]",
        parse=_cert_reqs,
    )
    ssl_ca_certs: str | None = setting(
        None,
        "Authorities of clients' certificates, in PEM; revocation lists in it count.",
        _HEADING,
        metavar="PATH",
        parse=_path,
    )
    ssl_version: int | str = setting(
        17,
        "Least version: tls1.2 (17) or tls1.3; 5 is TLS 1.2 alone.",
        _HEADING,
        metavar="[tls1.2|tls1.3]",
        parse=_version,
    )
    ssl_ciphers: str | None = setting(
        None,
        "Cipher suites of TLS 1.2, as OpenSSL writes them; else OpenSSL's own choice.",
        _HEADING,
        metavar="LIST",
    )
    # For programs alone: called with the configuration, and with a function that makes the context
    # which these settings describe; returns the context to use, now and at each reload.
    ssl_context_factory: Callable[..., Any] | None = None

    @property
    def speaks_tls(self) -> bool:
        """Tell whether connections are TLS connections."""
        return self.ssl_certfile is not None or self.ssl_context_factory is not None

    @property
    def scheme(self) -> str:
        """Return the scheme of the URLs that lead here."""
        return "https" if self.speaks_tls else "http"

    def tls_contradictions(self) -> Iterator[str]:
        """Yield what is wrong with these settings together, a line each."""
        factory: object = self.ssl_context_factory
        if factory is not None and not callable(factory):
            yield f"ssl_context_factory must be callable, got {factory!r}"
        if self.ssl_certfile is None:
            given = [f for f in fields(TLSSettings) if getattr(self, f.name) != f.default]
            idle = _OF_CERTIFICATES if factory is not None else _SETTINGS
            yield from (_needs_certificate(f.name) for f in given if f.name in idle)
        elif factory is None and self.ssl_cert_reqs and self.ssl_ca_certs is None:
            yield (
                "ssl_cert_reqs (--ssl-cert-reqs) needs ssl_ca_certs (--ssl-ca-certs): the "
                "authorities to believe"
            )


def _needs_certificate(name: str) -> str:
    return f"{name} ({flag_name(name)}) needs ssl_certfile (--ssl-certfile)"


_OF_CERTIFICATES: Final = ("ssl_keyfile", "ssl_keyfile_password", "ssl_sni")
_SETTINGS: Final = [f.name for f in fields(TLSSettings) if option_of(f)]
