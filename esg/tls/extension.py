"""What the scopes of a connection say of its TLS.

Source: ASGI TLS extension 0.2.
"""

from __future__ import annotations

import ssl
import sys
from typing import Any, Final

from esg.tls.certificate import subject_name
from esg.tls.context import ServerContext

_VERSIONS: Final = {"TLSv1.2": 0x0303, "TLSv1.3": 0x0304}
_DER: Final = 2  # _ssl.ENCODING_DER
_cipher_suites: dict[str, int] = {}


def tls_extension(connection: ssl.SSLObject) -> dict[str, Any]:
    """Return the `tls` extension of a connection whose handshake is complete.

    No value of it is mutable. `client_cert_error` is always None: a certificate that does not hold
    ends the handshake.
    """
    context = connection.context
    chain = _client_chain(connection)
    return {
        "server_cert": context.server_cert if isinstance(context, ServerContext) else None,
        "client_cert_chain": tuple(map(ssl.DER_cert_to_PEM_cert, chain)),
        "client_cert_name": _name(chain[0]) if chain else None,
        "client_cert_error": None,
        "tls_version": _VERSIONS.get(connection.version() or ""),
        "cipher_suite": _cipher_suite(connection),
    }


def _client_chain(connection: ssl.SSLObject) -> list[bytes]:
    """Return the certificates that the client sent, in DER; its own comes first."""
    leaf = connection.getpeercert(binary_form=True)
    if leaf is None:
        return []
    if sys.version_info >= (3, 13):
        sent = connection.get_unverified_chain()
    else:
        wrapper: Any = connection
        certificates = wrapper._sslobj.get_unverified_chain() or ()  # noqa: SLF001
        sent = [certificate.public_bytes(_DER) for certificate in certificates]
    return sent or [leaf]  # a session that is resumed has kept only the leaf


def _name(certificate: bytes) -> str | None:
    try:
        return subject_name(certificate)
    except ValueError:
        # OpenSSL takes encodings that DER forbids; no name is better than half of one.
        return None


def _cipher_suite(connection: ssl.SSLObject) -> int | None:
    cipher = connection.cipher()
    if cipher is None:
        return None
    name = cipher[0]
    if name not in _cipher_suites:
        # OpenSSL's numbers have the protocol's two bytes at their end.
        known: list[Any] = connection.context.get_ciphers()
        _cipher_suites.update((suite["name"], suite["id"] & 0xFFFF) for suite in known)
    return _cipher_suites.get(name)
