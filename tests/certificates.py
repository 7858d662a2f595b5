"""Certificates of an authority of our own, as files."""

from __future__ import annotations

import datetime as dt
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from trustme import KeyType

HOST = "localhost"
PASSWORD = "open sesame"


@dataclass(frozen=True, slots=True)
class Pair:
    """Name the files of a certificate and of its key."""

    certfile: Path
    keyfile: Path

    @property
    def options(self) -> tuple[str, ...]:
        """Return what a server's command line needs."""
        return ("--ssl-certfile", str(self.certfile), "--ssl-keyfile", str(self.keyfile))

    @property
    def leaf(self) -> str:
        """Return the certificate itself, in PEM."""
        der = ssl.PEM_cert_to_DER_cert(_first(self.certfile.read_text()))
        return ssl.DER_cert_to_PEM_cert(der)


class Authority:
    """Issue certificates into a folder.

    Args:
        folder: where files are written.
        name: begins their names.
    """

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self.folder = folder
        self.ca = trustme.CA()
        self.file = folder / f"{name}.pem"
        self.ca.cert_pem.write_to_path(self.file)

    def issue(
        self,
        name: str,
        *hosts: str,
        key_type: KeyType = KeyType.ECDSA,
        issuer: trustme.CA | None = None,
        **subject: Any,
    ) -> Pair:
        """Write a certificate, its chain and its key, in place of those of that name.

        Args:
            name: of the files.
            hosts: for which it is good, this machine if there are none.
            key_type: of the key.
            issuer: an authority below this one, if it is not to be this one.
            **subject: common_name, organization_name.
        """
        made = (issuer or self.ca).issue_cert(
            *(hosts or (HOST, "127.0.0.1", "::1")), key_type=key_type, **subject
        )
        pair = Pair(self.folder / f"{name}.crt", self.folder / f"{name}.key")
        chain = b"".join(certificate.bytes() for certificate in made.cert_chain_pems)
        pair.certfile.write_bytes(chain)
        made.private_key_pem.write_to_path(pair.keyfile)
        return pair

    def revoke(self, pair: Pair) -> None:
        """Write into the authority's file that a certificate is good no more."""
        now = dt.datetime.now(dt.UTC)
        key = load_pem_private_key(self.ca.private_key_pem.bytes(), None)
        revoked = (
            x509.RevokedCertificateBuilder()
            .serial_number(x509.load_pem_x509_certificate(pair.certfile.read_bytes()).serial_number)
            .revocation_date(now)
            .build()
        )
        made = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(x509.load_pem_x509_certificate(self.ca.cert_pem.bytes()).subject)
            .last_update(now - dt.timedelta(days=1))
            .next_update(now + dt.timedelta(days=1))
            .add_revoked_certificate(revoked)
            .sign(cast(EllipticCurvePrivateKey, key), SHA256())
        )
        with self.file.open("ab") as file:
            file.write(made.public_bytes(Encoding.PEM))

    def client(self, pair: Pair | None = None) -> ssl.SSLContext:
        """Return a context of clients that believe this authority, and show a certificate."""
        context = ssl.create_default_context(cafile=str(self.file))
        if pair is not None:
            context.load_cert_chain(pair.certfile, pair.keyfile)
        return context


def encrypted(pair: Pair, password: str = PASSWORD) -> Pair:
    """Return the pair with its key behind a password, in a file of its own."""
    key = load_pem_private_key(pair.keyfile.read_bytes(), None)
    path = pair.keyfile.with_suffix(".encrypted")
    encryption = BestAvailableEncryption(password.encode())
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    return Pair(pair.certfile, path)


def _first(pem: str) -> str:
    end = "-----END CERTIFICATE-----\n"
    return pem[: pem.index(end) + len(end)]
