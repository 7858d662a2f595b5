"""The settings of TLS, and what they say together."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from esg.config import Config
from esg.errors import ConfigError

CERTIFICATE: dict[str, Any] = {"ssl_certfile": "a.crt"}
AUTHORITIES: dict[str, Any] = {**CERTIFICATE, "ssl_ca_certs": "ca.pem"}


def fault(**settings: Any) -> str:
    with pytest.raises(ConfigError) as raised:
        Config("example:app", **settings)
    return str(raised.value)


def test_defaults() -> None:
    config = Config("example:app")
    assert not config.speaks_tls
    assert (config.ssl_version, config.ssl_cert_reqs) == (17, 0)
    assert Config("example:app", **CERTIFICATE).speaks_tls
    assert Config("example:app", ssl_context_factory=lambda config, default: default()).speaks_tls


@pytest.mark.parametrize(
    ("name", "given", "meant"),
    [
        *(("ssl_version", given, 17) for given in (17, "17", 2, "2", "tls1.2", "TLS1.2")),
        *(("ssl_version", given, 5) for given in (5, "5")),
        *(("ssl_version", given, "tls1.3") for given in ("tls1.3", "TLS1.3")),
        ("ssl_version", ssl.PROTOCOL_TLS_SERVER, 17),
        *(("ssl_cert_reqs", given, 0) for given in (0, "0", "none", ssl.CERT_NONE)),
        *(("ssl_cert_reqs", given, 1) for given in (1, "1", "optional", ssl.CERT_OPTIONAL)),
        *(("ssl_cert_reqs", given, 2) for given in (2, "2", "Required", ssl.CERT_REQUIRED)),
        ("ssl_keyfile", Path("a.key"), "a.key"),
        ("ssl_sni", ["*.example.org=a.crt,a.key"], ("*.example.org=a.crt,a.key",)),
    ],
)
def test_forms(name: str, given: object, meant: object) -> None:
    settings: dict[str, Any] = {**AUTHORITIES, name: given}
    assert getattr(Config("example:app", **settings), name) == meant


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        *(("ssl_version", given, "must be tls1.2") for given in (3, 4, 16, "1.3", True, [17])),
        *(("ssl_cert_reqs", given, "must be none") for given in (3, "-1", "yes", True, [0])),
        *(("ssl_certfile", given, "must be a file's path") for given in ("", 5, b"a")),
        ("ssl_sni", "a=b", "must be a list"),
        ("ssl_sni", [5], "must be a list of strings"),
        ("ssl_sni", ["a=b", "c=d", "A=e"], "must name each host once: a is there twice"),
        ("ssl_sni", ["a"], "must look like HOST=CERT,KEY"),
        ("ssl_ciphers", 5, "must be a string"),
        ("ssl_keyfile_password", "ä" * 513, "must be a string of 1024 bytes at most"),
        ("ssl_context_factory", "module:function", "must be callable"),
    ],
)
def test_wrong_values(name: str, given: object, said: str) -> None:
    settings: dict[str, Any] = {**CERTIFICATE, name: given}
    found = fault(**settings)
    assert found.startswith(name)
    assert said in found


@pytest.mark.parametrize(
    "settings",
    [
        {"ssl_keyfile": "a.key"},
        {"ssl_keyfile_password": "sesame"},
        {"ssl_version": "tls1.3"},
        {"ssl_cert_reqs": 2},
        {"ssl_ca_certs": "ca.pem"},
        {"ssl_ciphers": "DEFAULT"},
        {"ssl_sni": ["a=b"]},
    ],
)
def test_nothing_means_anything_without_a_certificate(settings: dict[str, Any]) -> None:
    (name,) = settings
    flag = f"--{name.replace('_', '-')}"
    assert fault(**settings) == f"{name} ({flag}) needs ssl_certfile (--ssl-certfile)"


def test_all_that_is_wrong_together_is_said() -> None:
    lines = fault(ssl_keyfile="a.key", ssl_sni=["a=b"]).splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["ssl_keyfile", "ssl_sni"]


def test_a_factory_needs_no_certificate_but_names_and_keys_do() -> None:
    def factory(config: object, default: object) -> None: ...

    settings: dict[str, Any] = {"ssl_context_factory": factory, "ssl_version": 5}
    assert Config("example:app", ssl_cert_reqs=2, **settings).ssl_version == 5
    assert "needs ssl_certfile" in fault(ssl_keyfile="a.key", **settings)
    assert "needs ssl_certfile" in fault(ssl_sni=["a=b"], **settings)


def test_certificates_of_clients_need_somebody_to_believe() -> None:
    for requirement in ("optional", "required"):
        said = fault(ssl_cert_reqs=requirement, **CERTIFICATE)
        assert "ssl_cert_reqs (--ssl-cert-reqs) needs ssl_ca_certs (--ssl-ca-certs)" in said
        given: dict[str, Any] = {**AUTHORITIES, "ssl_cert_reqs": requirement}
        Config("example:app", **given)
