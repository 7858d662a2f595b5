"""What contexts do that the settings describe."""

from __future__ import annotations

import gc
import ssl
import weakref
from typing import Any

import pytest

from esg.config import Config
from esg.errors import CertificateError
from esg.tls.context import ServerContext, certificate_files, server_context
from esg.tls.server_tls import ServerTLS
from tests.certificates import HOST, PASSWORD, Authority, Pair, encrypted
from tests.tls.handshake import config_of, shake_hands


def faults(pair: Pair | None, **settings: Any) -> tuple[str, ...]:
    with pytest.raises(CertificateError) as raised:
        server_context(config_of(pair, **settings))
    return raised.value.faults


def test_defaults(pair: Pair, authority: Authority) -> None:
    context = server_context(config_of(pair))
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.verify_mode == ssl.CERT_NONE
    assert context.options & ssl.OP_NO_RENEGOTIATION
    openssl = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    names = [suite["name"] for suite in context.get_ciphers()]
    assert names == [suite["name"] for suite in openssl.get_ciphers()]
    client = authority.client()
    client.set_alpn_protocols(["h2", "http/1.1"])
    end, _ = shake_hands(ServerTLS(config_of(pair)), client)
    assert end.version() == "TLSv1.3"
    assert end.selected_alpn_protocol() == "http/1.1"


@pytest.mark.parametrize(
    ("setting", "spoken"),
    [
        (17, {"TLSv1.2", "TLSv1.3"}),
        ("tls1.2", {"TLSv1.2", "TLSv1.3"}),
        (ssl.PROTOCOL_TLS_SERVER, {"TLSv1.2", "TLSv1.3"}),
        (5, {"TLSv1.2"}),
        ("TLS1.3", {"TLSv1.3"}),
    ],
)
def test_versions(setting: object, spoken: set[str], pair: Pair, authority: Authority) -> None:
    tls = ServerTLS(config_of(pair, ssl_version=setting))
    for version, name in (
        (ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
        (ssl.TLSVersion.TLSv1_3, "TLSv1.3"),
    ):
        client = authority.client()
        client.minimum_version = client.maximum_version = version
        if name in spoken:
            assert shake_hands(tls, client)[0].version() == name
        else:
            with pytest.raises(ssl.SSLError, match="UNSUPPORTED_PROTOCOL"):
                shake_hands(tls, client)


def test_ciphers(pair: Pair, authority: Authority) -> None:
    suite = "ECDHE-ECDSA-AES128-GCM-SHA256"
    tls = ServerTLS(config_of(pair, ssl_ciphers=suite, ssl_version=5))
    end, _ = shake_hands(tls, authority.client())
    assert (end.cipher() or ("",))[0] == suite


def test_ciphers_without_authentication_or_encryption_are_never_taken(pair: Pair) -> None:
    context = server_context(config_of(pair, ssl_ciphers="ALL:COMPLEMENTOFALL:@SECLEVEL=0"))
    shown = "".join(suite["description"] for suite in context.get_ciphers())
    assert "Au=None" not in shown
    assert "Enc=None" not in shown


def test_unknown_ciphers(pair: Pair) -> None:
    found = faults(pair, ssl_ciphers="ECDHE+AESGCM:NONSENSE,TLS_AES_128_GCM_SHA256:!MD5 @STRENGTH")
    wrong = ("NONSENSE", "TLS_AES_128_GCM_SHA256")
    reason = "OpenSSL has no such cipher suite of TLS 1.2"
    assert found == tuple(f"ssl_ciphers (--ssl-ciphers) {word}: {reason}" for word in wrong)
    (nothing,) = faults(pair, ssl_ciphers="aNULL")
    assert "no cipher suite of TLS 1.2 is left" in nothing


def test_certificates_of_clients(pair: Pair, authority: Authority) -> None:
    mine = authority.issue("client", "me@example.org")
    for requirement, shows, ends_well in (
        ("none", True, True),
        ("optional", False, True),
        ("optional", True, True),
        ("required", False, False),
        ("required", True, True),
    ):
        authorities = {} if requirement == "none" else {"ssl_ca_certs": authority.file}
        tls = ServerTLS(config_of(pair, ssl_cert_reqs=requirement, **authorities))
        client = authority.client(mine if shows else None)
        if ends_well:
            end, _ = shake_hands(tls, client)
            assert bool(end.getpeercert()) is (shows and requirement != "none")
        else:
            with pytest.raises(ssl.SSLError, match="PEER_DID_NOT_RETURN_A_CERTIFICATE"):
                shake_hands(tls, client)


@pytest.mark.parametrize("requirement", ["optional", "required"])
def test_another_authority_is_not_believed(
    requirement: str, pair: Pair, authority: Authority, own_authority: Authority
) -> None:
    tls = ServerTLS(config_of(pair, ssl_cert_reqs=requirement, ssl_ca_certs=authority.file))
    client = authority.client(own_authority.issue("client", "me@example.org"))
    with pytest.raises(ssl.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        shake_hands(tls, client)


def test_revoked_certificates(pair: Pair, own_authority: Authority) -> None:
    """A list of them counts once it stands in the authorities' file."""
    server, good, revoked = (own_authority.issue(name) for name in ("server", "good", "revoked"))
    required = {"ssl_cert_reqs": "required", "ssl_ca_certs": own_authority.file}
    before = ServerTLS(config_of(server, **required))
    shake_hands(before, own_authority.client(revoked))
    own_authority.revoke(revoked)
    after = ServerTLS(config_of(server, **required))
    shake_hands(after, own_authority.client(good))
    with pytest.raises(ssl.SSLError, match="certificate revoked"):
        shake_hands(after, own_authority.client(revoked))


def test_an_encrypted_key(pair: Pair, authority: Authority) -> None:
    locked = encrypted(pair)
    shake_hands(ServerTLS(config_of(locked, ssl_keyfile_password=PASSWORD)), authority.client())
    (fault,) = faults(locked)
    assert fault.startswith(f"ssl_keyfile (--ssl-keyfile) {locked.keyfile}: it is encrypted")


def test_key_in_the_certificates_file(authority: Authority) -> None:
    both = authority.issue("both")
    both.certfile.write_bytes(both.keyfile.read_bytes() + both.certfile.read_bytes())
    tls = ServerTLS(config_of(None, ssl_certfile=both.certfile))
    shake_hands(tls, authority.client())


def test_server_names(pair: Pair, authority: Authority) -> None:
    exact = authority.issue("exact", "a.example.org")
    wildcard = authority.issue("wildcard", "*.example.org")
    named = [
        f"{host}={files.certfile},{files.keyfile}"
        for host, files in (("a.example.org", exact), ("*.example.org", wildcard))
    ]
    config = config_of(pair, ssl_sni=named)
    tls = ServerTLS(config)
    client = authority.client()
    client.check_hostname = False
    client.set_alpn_protocols(["http/1.1"])
    for name, expected in (
        ("a.example.org", exact),
        ("A.Example.ORG", exact),
        ("b.example.org", wildcard),
        ("b.a.example.org", pair),
        ("example.org", pair),
        (HOST, pair),
        (None, pair),
    ):
        end, client_end = shake_hands(tls, client, name)
        shown = ssl.DER_cert_to_PEM_cert(client_end.getpeercert(binary_form=True) or b"")
        assert shown == expected.leaf
        assert tls.extension(end)["server_cert"] == expected.leaf
        assert end.selected_alpn_protocol() == "http/1.1"
    assert set(certificate_files(config)) == {
        str(file) for files in (pair, exact, wildcard) for file in (files.certfile, files.keyfile)
    }


def test_server_names_ask_for_the_same_of_clients(pair: Pair, authority: Authority) -> None:
    named = authority.issue("named", "a.example.org")
    tls = ServerTLS(
        config_of(
            pair,
            ssl_cert_reqs="required",
            ssl_ca_certs=authority.file,
            ssl_sni=[f"a.example.org={named.certfile},{named.keyfile}"],
            ssl_ciphers="ECDHE-ECDSA-AES128-GCM-SHA256",
            ssl_version=5,
        )
    )
    mine = authority.issue("client", "me@example.org")
    end, _ = shake_hands(tls, authority.client(mine), "a.example.org")
    assert end.getpeercert()
    assert (end.cipher() or ("",))[0] == "ECDHE-ECDSA-AES128-GCM-SHA256"
    with pytest.raises(ssl.SSLError, match="PEER_DID_NOT_RETURN_A_CERTIFICATE"):
        shake_hands(tls, authority.client(), "a.example.org")


def test_every_fault_of_every_setting_is_said(pair: Pair) -> None:
    found = faults(
        Pair(pair.certfile, pair.certfile),
        ssl_ciphers="NONSENSE",
        ssl_ca_certs=pair.keyfile,
        ssl_sni=["a.example.org=/nowhere,/nowhere", f"b.example.org={pair.certfile},/nothing"],
    )
    assert [line.partition(":")[0] for line in found] == [
        f"ssl_ca_certs (--ssl-ca-certs) {pair.keyfile}",
        "ssl_ciphers (--ssl-ciphers) NONSENSE",
        f"ssl_keyfile (--ssl-keyfile) {pair.certfile}",
        "ssl_sni (--ssl-sni) a.example.org",
        "ssl_sni (--ssl-sni) b.example.org",
    ]
    assert not any("\n" in line for line in found)


def test_factory(pair: Pair, authority: Authority) -> None:
    given: list[Config] = []

    def factory(config: Config, default: Any) -> ssl.SSLContext:
        given.append(config)
        context: ssl.SSLContext = default()
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        return context

    config = config_of(pair, ssl_context_factory=factory)
    tls = ServerTLS(config)
    assert given == [config]
    end, _ = shake_hands(tls, authority.client())
    assert tls.extension(end)["server_cert"] == pair.leaf
    client = authority.client()
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError, match="UNSUPPORTED_PROTOCOL"):
        shake_hands(tls, client)


def test_factory_with_certificates_of_its_own(pair: Pair, authority: Authority) -> None:
    """Without ssl_certfile the default context has none."""

    def factory(config: Config, default: Any) -> ssl.SSLContext:
        context: ssl.SSLContext = default()
        context.load_cert_chain(pair.certfile, pair.keyfile)
        return context

    tls = ServerTLS(config_of(None, ssl_context_factory=factory))
    end, _ = shake_hands(tls, authority.client())
    assert tls.extension(end)["server_cert"] == pair.leaf


def test_a_context_of_another_class_keeps_its_certificate_to_itself(
    pair: Pair, authority: Authority
) -> None:
    def factory(config: Config, default: Any) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certfile, pair.keyfile)
        return context

    tls = ServerTLS(config_of(None, ssl_context_factory=factory))
    end, _ = shake_hands(tls, authority.client())
    assert tls.extension(end)["server_cert"] is None


def test_which_of_two_certificates_is_shown_is_not_known(pair: Pair) -> None:
    context = ServerContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certfile, pair.keyfile)
    assert context.server_cert == pair.leaf
    context.load_cert_chain(pair.certfile, pair.keyfile)
    assert context.server_cert is None


def test_faults_of_a_factory(pair: Pair) -> None:
    (fault,) = faults(None, ssl_context_factory=lambda config, default: 1 // 0)
    assert fault.startswith("ssl_context_factory failed: ZeroDivisionError: ")
    (fault,) = faults(None, ssl_context_factory=lambda config, default: None)
    assert fault == "ssl_context_factory must return an SSLContext, got None"
    broken = Pair(pair.certfile, pair.certfile)
    assert faults(broken, ssl_context_factory=lambda config, default: default()) == faults(broken)


def test_contexts_are_given_back(pair: Pair, authority: Authority) -> None:
    """Else every reload would cost memory."""
    named = f"a.example.org={pair.certfile},{pair.keyfile}"
    tls = ServerTLS(config_of(pair, ssl_sni=[named]))
    shake_hands(tls, authority.client())
    context = weakref.ref(tls.context)
    del tls
    gc.collect()
    gc.collect()  # for PyPy's sake
    assert context() is None
