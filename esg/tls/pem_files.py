"""Certificates, keys and authorities from PEM files into a context, with a line for each fault.

OpenSSL's own messages name neither the file nor, mostly, the reason; and it would ask whoever sits
at the terminal for a password.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from esg.logs import logger
from esg.tls.certificate import validity

_CERTIFICATE: Final = re.compile(
    rb"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----(.+?)-----END", re.DOTALL
)
_KEY: Final = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")
_REVOCATION_LIST: Final = b"-----BEGIN X509 CRL-----"
# The last: of another kind altogether, RSA instead of EC.
_MISMATCHES: Final = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED")


class _Fault(Exception):
    """Say what is wrong with a file."""


@dataclass(frozen=True, slots=True)
class PEMFile:
    """Name a file, and the setting that does.

    Args:
        origin: the setting, for messages.
        path: where the file is.
    """

    origin: str
    path: str

    def faults(self, check: Callable[[bytes], object]) -> Iterator[str]:
        """Yield what is wrong with the file, if anything is.

        Args:
            check: is given what the file holds; says what is wrong by an exception.
        """
        try:
            check(Path(self.path).read_bytes())
        except ssl.SSLError as error:
            yield self.fault(f"OpenSSL refuses it: {_reason(error)}")
        except OSError as error:
            yield self.fault(error.strerror or str(error))
        except _Fault as error:
            yield self.fault(str(error))

    def fault(self, reason: str) -> str:
        """Write what is wrong with the file as one line."""
        return f"{self.origin} {self.path}: {reason}"


def leaf_certificate(path: str) -> str:
    """Return the first certificate of a file, in PEM."""
    return ssl.DER_cert_to_PEM_cert(_certificates(Path(path).read_bytes())[0])


def load_pair(
    context: ssl.SSLContext, certfile: PEMFile, keyfile: PEMFile, password: str | None
) -> list[str]:
    """Load a certificate with its key; return what is wrong, a line for each fault.

    A certificate that is out of date is no fault: the log says so, and clients will.
    """

    def check_certificates(content: bytes) -> None:
        _check_certificates(content)
        _warn_of_dates(certfile, _certificates(content)[0])

    faults = [*certfile.faults(check_certificates), *keyfile.faults(_check_key)]
    return list(dict.fromkeys(faults)) or list(
        _pair_faults(context, certfile, keyfile, _Password(password))
    )


def load_authorities(context: ssl.SSLContext, file: PEMFile) -> list[str]:
    """Load the authorities that clients' certificates are checked by; return what is wrong.

    Where the file has revocation lists too, they count: for each authority there must be one.
    """

    def load(content: bytes) -> None:
        _check_certificates(content)
        context.load_verify_locations(file.path)
        if _REVOCATION_LIST in content:
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF

    return list(file.faults(load))


def _certificates(content: bytes) -> list[bytes]:
    """Return the certificates of a file, in DER.

    Raises:
        _Fault: there are none, or they are damaged.
    """
    encoded: list[bytes] = _CERTIFICATE.findall(content)
    if not encoded:
        raise _Fault("there is no certificate in PEM in it")
    try:
        return [base64.b64decode(certificate) for certificate in encoded]
    except binascii.Error:
        raise _Fault("a certificate in it is damaged") from None


def _check_certificates(content: bytes) -> None:
    pem = "".join(map(ssl.DER_cert_to_PEM_cert, _certificates(content)))  # PyPy reads no DER
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(cadata=pem)
    except ssl.SSLError:
        raise _Fault("a certificate in it is damaged") from None


def _warn_of_dates(file: PEMFile, certificate: bytes) -> None:
    try:
        not_before, not_after = validity(certificate)
    except ValueError:
        return  # OpenSSL reads more than DER, and we do not
    now = dt.datetime.now(dt.UTC)
    if now > not_after:
        logger.warning(file.fault(f"the certificate has expired, on {not_after:%Y-%m-%d}"))
    elif now < not_before:
        logger.warning(file.fault(f"the certificate is not good before {not_before}"))


def _check_key(content: bytes) -> None:
    if not _KEY.search(content):
        raise _Fault("there is no private key in PEM in it")


class _Password:
    """Give OpenSSL a password, and remember that it asked.

    Args:
        password: None for none.
    """

    def __init__(self, password: str | None) -> None:
        self._password = password
        self.was_asked_for = False

    def __call__(self) -> str:
        self.was_asked_for = True
        return self._password or ""

    @property
    def fault(self) -> str:
        """Say why the key could not be opened."""
        name = "ssl_keyfile_password (--ssl-keyfile-password)"
        return f"{name} does not open it" if self._password else f"it is encrypted: set {name}"


def _pair_faults(
    context: ssl.SSLContext, certfile: PEMFile, keyfile: PEMFile, password: _Password
) -> Iterator[str]:
    try:
        context.load_cert_chain(certfile.path, keyfile.path, password)
    except ssl.SSLError as error:
        if error.reason in _MISMATCHES:
            yield keyfile.fault(f"it is not the key of the certificate in {certfile.path}")
        elif password.was_asked_for:
            yield keyfile.fault(password.fault)
        elif not error.reason:
            yield keyfile.fault("the private key in it is damaged")
        else:
            yield certfile.fault(f"OpenSSL refuses it: {_reason(error)}")
    except (OSError, _Fault) as error:  # all was well a moment ago
        yield certfile.fault(getattr(error, "strerror", None) or str(error))


def _reason(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).replace("_", " ").lower()
