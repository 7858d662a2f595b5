"""The subject of a certificate as a string."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import NameAttribute, RelativeDistinguishedName
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from esg.tls.certificate import subject_name, validity

KEY = ec.generate_private_key(ec.SECP256R1())
UNKNOWN = x509.ObjectIdentifier("2.999.4294967296.1")


NOW = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def certificate(
    *names: RelativeDistinguishedName,
    not_before: dt.datetime = NOW,
    not_after: dt.datetime = NOW,
) -> bytes:
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(names))
        .issuer_name(x509.Name([NameAttribute(NameOID.COMMON_NAME, "somebody else")]))
        .public_key(KEY.public_key())
        .serial_number(2**100)
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .sign(KEY, SHA256())
    )
    return made.public_bytes(Encoding.DER)


def subject(*attributes: NameAttribute[Any]) -> str:
    return subject_name(certificate(*(RelativeDistinguishedName([a]) for a in attributes)))


def common(value: str, kind: _ASN1Type | None = None) -> NameAttribute[str]:
    return NameAttribute(NameOID.COMMON_NAME, value, kind)


def test_the_last_name_comes_first() -> None:
    country = NameAttribute(NameOID.COUNTRY_NAME, "DE")
    organization = NameAttribute(NameOID.ORGANIZATION_NAME, "Example")
    assert subject(country, organization, common("me")) == "CN=me,O=Example,C=DE"


def test_no_name_at_all() -> None:
    assert subject() == ""


def test_several_values_in_one_name() -> None:
    both = RelativeDistinguishedName([common("me"), NameAttribute(NameOID.USER_ID, "17")])
    domain = RelativeDistinguishedName([NameAttribute(NameOID.DOMAIN_COMPONENT, "org")])
    assert subject_name(certificate(domain, both)) in ("CN=me+UID=17,DC=org", "UID=17+CN=me,DC=org")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ('James "Jim" Smith, III', r"CN=James \"Jim\" Smith\, III"),
        ("a+b;c<d>e\\f=g", r"CN=a\+b\;c\<d\>e\\f=g"),
        ("# first", r"CN=\# first"),
        (" a ", r"CN=\ a\ "),
        (" ", r"CN=\ "),
        ("  ", r"CN=\ \ "),
        ("a # b", "CN=a # b"),
        ("Lučić", "CN=Lučić"),
        ("a\r\n\x7f\x00b", r"CN=a\0D\0A\7F\00b"),
    ],
)
def test_escapes(value: str, written: str) -> None:
    """RFC 4514 section 2.4; control characters by its way for any character."""
    assert subject(common(value)) == written


@pytest.mark.parametrize(
    "kind", [_ASN1Type.UTF8String, _ASN1Type.BMPString, _ASN1Type.UniversalString]
)
def test_types_of_strings(kind: _ASN1Type) -> None:
    assert subject(common("Grüße", kind)) == "CN=Grüße"


def test_a_type_without_a_name_has_its_number_and_the_value_in_hexadecimal() -> None:
    value = NameAttribute(UNKNOWN, "ab", _ASN1Type.UTF8String)
    assert subject(value) == "2.999.4294967296.1=#0C026162"


def test_a_value_that_is_no_text_is_in_hexadecimal() -> None:
    bits = NameAttribute(NameOID.X500_UNIQUE_IDENTIFIER, b"\x00\x01", _ASN1Type.BitString)
    assert subject(bits) == "2.5.4.45=#03020001"


def test_another_library_writes_the_same() -> None:
    oids = (
        *(NameOID.LOCALITY_NAME, NameOID.STATE_OR_PROVINCE_NAME, NameOID.ORGANIZATION_NAME),
        *(NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.STREET_ADDRESS, NameOID.DOMAIN_COMPONENT),
        *(NameOID.USER_ID, NameOID.COMMON_NAME),
    )
    kind = _ASN1Type.UTF8String
    attributes = [NameAttribute(oid, f"Ä {n}, #;", kind) for n, oid in enumerate(oids)]
    assert subject(*attributes) == x509.Name(attributes).rfc4514_string()


def test_validity() -> None:
    """The first in two digits, the second, beyond 2049, in four (RFC 5280 section 4.1.2.5)."""
    first = dt.datetime(1999, 12, 31, 23, 59, 58, tzinfo=dt.UTC)
    last = dt.datetime(2050, 1, 1, tzinfo=dt.UTC)
    assert validity(certificate(not_before=first, not_after=last)) == (first, last)
    last = dt.datetime(2049, 12, 31, tzinfo=dt.UTC)
    assert validity(certificate(not_before=first, not_after=last)) == (first, last)


@pytest.mark.parametrize("cut", [*range(1, 40), 100, 200])
def test_truncated(cut: int) -> None:
    encoded = certificate(RelativeDistinguishedName([common("me")]))
    with pytest.raises(ValueError, match="DER"):
        subject_name(encoded[:-cut])


@pytest.mark.parametrize(
    "data", [b"", b"\x30", b"\x30\x80\x00\x00", b"\x30\x00", b"\x30\x02\x30\x00"]
)
def test_nonsense(data: bytes) -> None:
    with pytest.raises(ValueError, match="DER"):
        subject_name(data)
