"""What a certificate says of itself: whose it is, and how long it is good.

The standard library decodes the certificates of peers only, and forgets the types of their names:
hence this reader of just the fields in front of the subject's end. It is given certificates that
OpenSSL has parsed. Source: RFC 5280 section 4.1; X.690 for DER; RFC 4514 for the string.
"""

from __future__ import annotations

import datetime as dt
from typing import Final, NamedTuple

_VERSION: Final = 0xA0  # a tag
_UTC_TIME: Final = 0x17  # another
# Of what follows the version, which may be left out.
_VALIDITY: Final = 3
_SUBJECT: Final = 4
_ENCODINGS: Final = {
    0x0C: "utf-8",  # UTF8String
    0x12: "ascii",  # NumericString
    0x13: "ascii",  # PrintableString
    0x14: "latin-1",  # TeletexString, as everybody uses it
    0x16: "ascii",  # IA5String
    0x1A: "ascii",  # VisibleString
    0x1C: "utf-32-be",  # UniversalString
    0x1E: "utf-16-be",  # BMPString
}
# RFC 4514 section 3, then descriptors that RFC 4519 registers, then one that everybody knows.
_DESCRIPTORS: Final = {
    "2.5.4.3": "CN",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.6": "C",
    "2.5.4.9": "STREET",
    "0.9.2342.19200300.100.1.25": "DC",
    "0.9.2342.19200300.100.1.1": "UID",
    "2.5.4.4": "sn",
    "2.5.4.5": "serialNumber",
    "2.5.4.12": "title",
    "2.5.4.13": "description",
    "2.5.4.15": "businessCategory",
    "2.5.4.17": "postalCode",
    "2.5.4.41": "name",
    "2.5.4.42": "givenName",
    "2.5.4.43": "initials",
    "2.5.4.44": "generationQualifier",
    "2.5.4.46": "dnQualifier",
    "1.2.840.113549.1.9.1": "emailAddress",
}
_ESCAPED: Final = frozenset('"+,;<>\\')


class _Element(NamedTuple):
    """An element of DER: its content, and the whole of it with tag and length."""

    tag: int
    content: bytes
    whole: bytes


def subject_name(certificate: bytes) -> str:
    """Return the subject of a certificate as RFC 4514 writes it, "CN=client,O=example".

    Args:
        certificate: in DER.

    Raises:
        ValueError: it is not in DER.
    """
    try:
        relative_names = reversed(_elements(_fields(certificate)[_SUBJECT].content))
        return ",".join(map(_relative_name, relative_names))
    except IndexError:
        raise ValueError("something is missing in this DER") from None


def validity(certificate: bytes) -> tuple[dt.datetime, dt.datetime]:
    """Return from when to when a certificate is good.

    Args:
        certificate: in DER.

    Raises:
        ValueError: it is not in DER.
    """
    not_before, not_after = map(_time, _elements(_fields(certificate)[_VALIDITY].content))
    return not_before, not_after


def _time(element: _Element) -> dt.datetime:
    """Read a time as RFC 5280 section 4.1.2.5 has it: UTCTime for the years from 1950 to 2049."""
    text = element.content.decode("ascii")
    if element.tag == _UTC_TIME:
        text = ("20" if text < "50" else "19") + text
    return dt.datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=dt.UTC)


def _fields(certificate: bytes) -> list[_Element]:
    """Return serialNumber, signature, issuer, validity, subject, ..."""
    to_be_signed = _elements(_elements(certificate)[0].content)[0].content
    return [field for field in _elements(to_be_signed) if field.tag != _VERSION]


def _relative_name(element: _Element) -> str:
    return "+".join(_attribute(attribute.content) for attribute in _elements(element.content))


def _elements(data: bytes) -> list[_Element]:
    """Return the elements that stand side by side.

    Raises:
        ValueError: lengths are wrong, or indefinite.
    """
    found = []
    position = 0
    while position < len(data):
        start = position
        if len(data) - start < 2:
            raise ValueError("truncated DER")
        tag, length = data[start : start + 2]
        position += 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(data[position : position + size])
            position += size
            if not size:
                raise ValueError("indefinite length in DER")
        if len(data) - position < length:
            raise ValueError("truncated DER")
        end = position + length
        found.append(_Element(tag, data[position:end], data[start:end]))
        position = end
    return found


def _attribute(attribute: bytes) -> str:
    kind, value = _elements(attribute)[:2]
    dotted = _dotted(kind.content)
    descriptor = _DESCRIPTORS.get(dotted)
    text = _text(value) if descriptor else None
    if text is None:
        return f"{descriptor or dotted}=#{value.whole.hex().upper()}"
    return f"{descriptor}={_escaped(text)}"


def _text(value: _Element) -> str | None:
    encoding = _ENCODINGS.get(value.tag)
    try:
        return value.content.decode(encoding) if encoding else None
    except UnicodeDecodeError:
        return None


def _escaped(text: str) -> str:
    r"""Escape what RFC 4514 section 2.4 asks for, and control characters as \XX, too."""
    escaped = "".join(_escaped_character(character) for character in text)
    if text[:1] in (" ", "#"):
        escaped = "\\" + escaped
    if text.endswith(" ") and text != " ":
        escaped = f"{escaped[:-1]}\\ "
    return escaped


def _escaped_character(character: str) -> str:
    if character in _ESCAPED:
        return "\\" + character
    if character < " " or character == "\x7f":
        return f"\\{ord(character):02X}"
    return character


def _dotted(oid: bytes) -> str:
    arcs: list[int] = []
    value = 0
    for octet in oid:
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))
