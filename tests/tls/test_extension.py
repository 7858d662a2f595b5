"""What scopes say of TLS, by the ASGI TLS extension 0.2."""

from __future__ import annotations

import copy
import pickle
import ssl
from typing import Any

import pytest

from esg.tls import extension
from esg.tls.extension import tls_extension
from esg.tls.server_tls import ServerTLS
from tests.certificates import Authority, Pair
from tests.tls.handshake import config_of, shake_hands


def extension_of(pair: Pair, client: ssl.SSLContext, **settings: Any) -> dict[str, Any]:
    end, _ = shake_hands(ServerTLS(config_of(pair, **settings)), client)
    return tls_extension(end)


def test_without_a_certificate_of_the_client(pair: Pair, authority: Authority) -> None:
    client = authority.client()
    client.minimum_version = ssl.TLSVersion.TLSv1_3
    found = extension_of(pair, client)
    assert found.pop("cipher_suite") in {0x1301, 0x1302, 0x1303}
    assert found == {
        "server_cert": pair.leaf,
        "client_cert_chain": (),
        "client_cert_name": None,
        "client_cert_error": None,
        "tls_version": 0x0304,
    }


def test_tls_1_2(pair: Pair, authority: Authority) -> None:
    client = authority.client()
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    found = extension_of(pair, client, ssl_ciphers="ECDHE-ECDSA-AES256-GCM-SHA384")
    assert found["tls_version"] == 0x0303
    assert found["cipher_suite"] == 0xC02C


def test_the_chain_of_a_client(pair: Pair, authority: Authority) -> None:
    below = authority.ca.create_child_ca()
    mine = authority.issue(
        "client", "me@example.org", issuer=below, common_name="me, too", organization_name="Mine"
    )
    client = authority.client(mine)
    found = extension_of(pair, client, ssl_cert_reqs=2, ssl_ca_certs=authority.file)
    chain = found["client_cert_chain"]
    assert chain[0] == mine.leaf
    assert "".join(chain) == mine.certfile.read_text()
    assert len(chain) > 1
    assert found["client_cert_name"].startswith(r"CN=me\, too,OU=")
    assert found["client_cert_name"].endswith(",O=Mine")
    assert found["client_cert_error"] is None


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_that_is_resumed_has_the_clients_own_certificate(
    version: ssl.TLSVersion, pair: Pair, authority: Authority
) -> None:
    mine = authority.issue("client", "me@example.org", issuer=authority.ca.create_child_ca())
    client = authority.client(mine)
    client.minimum_version = client.maximum_version = version
    tls = ServerTLS(config_of(pair, ssl_cert_reqs=2, ssl_ca_certs=authority.file))
    first, client_end = shake_hands(tls, client)
    resumed, again = shake_hands(tls, client, session=client_end.session)
    assert again.session_reused
    assert tls_extension(resumed)["client_cert_chain"][0] == mine.leaf
    assert tls_extension(resumed)["client_cert_name"] == tls_extension(first)["client_cert_name"]


def test_nothing_in_it_is_shared_or_in_the_way(pair: Pair, authority: Authority) -> None:
    found = extension_of(pair, authority.client())
    assert type(found) is dict
    assert pickle.loads(pickle.dumps(found)) == copy.deepcopy(found) == found
    assert all(isinstance(v, str | int | tuple) or v is None for v in found.values())


def test_a_name_that_cannot_be_read_is_none(
    pair: Pair, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(certificate: bytes) -> str:
        raise ValueError("indefinite length in DER")

    monkeypatch.setattr(extension, "subject_name", fails)
    client = authority.client(authority.issue("client", "me@example.org"))
    found = extension_of(pair, client, ssl_cert_reqs=2, ssl_ca_certs=authority.file)
    assert found["client_cert_name"] is None
    assert found["client_cert_chain"]


def test_before_the_handshake(pair: Pair) -> None:
    connection, _, _ = ServerTLS(config_of(pair)).wrap()
    with pytest.raises(ValueError, match="handshake"):
        tls_extension(connection)
