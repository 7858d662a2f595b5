"""Certificates by server name."""

from __future__ import annotations

import pytest

from esg.server_names import NamedCertificate, chosen, parse_named_certificate

BY_HOST = {"example.org": "exact", "*.example.org": "wildcard", "a.example.org": "a", "local": "l"}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("example.org=a.crt,a.key", NamedCertificate("example.org", "a.crt", "a.key")),
        (" Example.ORG. = a.crt , a.key ", NamedCertificate("example.org", "a.crt", "a.key")),
        ("*.example.org=/e=f/a.pem", NamedCertificate("*.example.org", "/e=f/a.pem", None)),
        ("localhost=a,b", NamedCertificate("localhost", "a", "b")),
        ("bücher.example=a", NamedCertificate("xn--bcher-kva.example", "a", None)),
        ("*.faß.example=a", NamedCertificate("*.xn--fa-hia.example", "a", None)),
        ("xn--bcher-kva.example=a", NamedCertificate("xn--bcher-kva.example", "a", None)),
        ("my_host=a", NamedCertificate("my_host", "a", None)),
    ],
)
def test_forms(text: str, named: NamedCertificate) -> None:
    assert parse_named_certificate(text) == named


@pytest.mark.parametrize(
    "text",
    [
        *("", "example.org", "example.org=", "example.org=,a", "example.org=a,", "=a,b", "h=a,b,c"),
        *("*=a,b", "*.=a,b", "a.*.org=a,b", "*a.org=a,b", "**.org=a", "a..b=a", ".a=a", "-a=a"),
        *("a b=c", "a/b=c", f"{'a' * 64}=c", f"{'a.' * 127}a=c", "a\nb=c", "b\u00fc\u2603..=c"),
    ],
)
def test_what_is_no_form(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(must look like HOST=CERT,KEY|HOST is no)"):
        parse_named_certificate(text)


@pytest.mark.parametrize("text", ["127.0.0.1=a,b"])
def test_addresses_have_no_server_name(text: str) -> None:
    with pytest.raises(ValueError, match="no server name for an address"):
        parse_named_certificate(text)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("example.org", "exact"),
        ("EXAMPLE.org.", "exact"),
        ("a.example.org", "a"),
        ("b.example.org", "wildcard"),
        ("b.a.example.org", None),
        ("xexample.org", None),
        ("org", None),
        ("local", "l"),
        ("", None),
        (None, None),
    ],
)
def test_choice(name: str | None, found: str | None) -> None:
    assert chosen(name, BY_HOST) == found
