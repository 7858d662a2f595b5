"""From settings and files to an `ssl.SSLContext`."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Callable, Mapping
from typing import Any, Final

from esg.app_loader import own_traceback
from esg.config import Config
from esg.errors import CertificateError
from esg.options import flag_name
from esg.server_names import chosen, parse_named_certificate
from esg.tls.pem_files import PEMFile, leaf_certificate, load_authorities, load_pair

_SEPARATORS: Final = re.compile("[:;, ]+")
# Whatever a list says: the server proves who it is, and nobody else reads what is said.
_NEVER: Final = ":!aNULL:!eNULL"


class ServerContext(ssl.SSLContext):
    """A context that knows which certificate it shows.

    Attributes:
        server_cert: in PEM; None where none is loaded, or several are: then it depends on what a
            client can do.
    """

    server_cert: str | None = None
    _loaded = 0

    def load_cert_chain(self, certfile: Any, keyfile: Any = None, password: Any = None) -> None:
        """Load a certificate and its key, as every context does."""
        super().load_cert_chain(certfile, keyfile, password)
        self._loaded += 1
        self.server_cert = leaf_certificate(os.fsdecode(certfile)) if self._loaded == 1 else None


def server_context(config: Config) -> ssl.SSLContext:
    """Make a context of what the files hold now.

    Raises:
        CertificateError: with everything that is wrong.
    """
    if config.ssl_context_factory is not None:
        return _from_factory(config, config.ssl_context_factory)
    return _described(config)


def certificate_files(config: Config) -> tuple[str, ...]:
    """Name the files that contexts are made of."""
    named = map(parse_named_certificate, config.ssl_sni)
    files = [config.ssl_certfile, config.ssl_keyfile, config.ssl_ca_certs]
    files += [file for each in named for file in (each.certfile, each.keyfile)]
    return tuple(file for file in files if file is not None)


def _from_factory(config: Config, factory: Callable[..., Any]) -> ssl.SSLContext:
    try:
        context = factory(config, lambda: _described(config))
    except CertificateError:
        raise
    except Exception as error:
        raise CertificateError([own_traceback(error, "ssl_context_factory failed")]) from error
    if not isinstance(context, ssl.SSLContext):
        raise CertificateError([f"ssl_context_factory must return an SSLContext, got {context!r}"])
    return context


def _described(config: Config) -> ServerContext:
    """Make the context that the settings describe.

    Raises:
        CertificateError: with everything that is wrong.
    """
    faults: list[str] = []
    context = _without_certificate(config, faults)
    if config.ssl_certfile is not None:
        certfile = PEMFile(_setting("ssl_certfile"), config.ssl_certfile)
        keyfile = (
            PEMFile(_setting("ssl_keyfile"), config.ssl_keyfile) if config.ssl_keyfile else certfile
        )
        faults += load_pair(context, certfile, keyfile, config.ssl_keyfile_password)
    by_host = _by_host(config, faults)
    if by_host:
        context.sni_callback = _switch(by_host)
    if faults:
        raise CertificateError(faults)
    return context


def _by_host(config: Config, faults: list[str]) -> dict[str, ssl.SSLContext]:
    contexts: dict[str, ssl.SSLContext] = {}
    for named in map(parse_named_certificate, config.ssl_sni):
        # What is wrong with the other settings has been said.
        context = contexts[named.host] = _without_certificate(config, [])
        origin = f"{_setting('ssl_sni')} {named.host}:"
        certfile = PEMFile(origin, named.certfile)
        keyfile = PEMFile(origin, named.keyfile or named.certfile)
        faults += load_pair(context, certfile, keyfile, config.ssl_keyfile_password)
    return contexts


def _switch(by_host: Mapping[str, ssl.SSLContext]) -> Callable[..., None]:
    """Return what gives a connection the context of the name that its client asks for."""

    def switch(connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> None:
        context = chosen(name, by_host)
        if context is not None:
            connection.context = context

    return switch


def _without_certificate(config: Config, faults: list[str]) -> ServerContext:
    context = ServerContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if config.ssl_version == "tls1.3":
        context.minimum_version = ssl.TLSVersion.TLSv1_3
    elif config.ssl_version == ssl.PROTOCOL_TLSv1_2:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    # It would let clients have the server work for nothing. OpenSSL 3 refuses by itself.
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    context.verify_mode = ssl.VerifyMode(config.ssl_cert_reqs)
    if config.ssl_ca_certs is not None:
        file = PEMFile(_setting("ssl_ca_certs"), config.ssl_ca_certs)
        faults += load_authorities(context, file)
    if config.ssl_ciphers is not None:
        faults += _set_ciphers(context, config.ssl_ciphers)
    return context


def _set_ciphers(context: ssl.SSLContext, ciphers: str) -> list[str]:
    """Set the cipher suites; return what is wrong, a line for each fault."""
    # OpenSSL passes over words that it does not know if there is one that it does.
    words = [word for word in _SEPARATORS.split(ciphers) if word and word[0] not in "!-+@"]
    unknown = [word for word in words if not _are_ciphers(word)]
    if not unknown and _are_ciphers(ciphers + _NEVER):
        context.set_ciphers(ciphers + _NEVER)
        return []
    name = _setting("ssl_ciphers")
    faults = [f"{name} {word}: OpenSSL has no such cipher suite of TLS 1.2" for word in unknown]
    return faults or [f"{name} {ciphers}: no cipher suite of TLS 1.2 is left"]


def _are_ciphers(ciphers: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).set_ciphers(ciphers)
    except ssl.SSLError:
        return False
    return True


def _setting(name: str) -> str:
    return f"{name} ({flag_name(name)})"
