"""The grammar of RFC 9110 and RFC 9112 as hypothesis strategies, and ways to split bytes."""

from __future__ import annotations

from hypothesis import strategies as st

TCHAR = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
HEXDIG = b"0123456789abcdefABCDEF"
VCHAR = bytes(range(0x21, 0x7F))
OBS_TEXT = bytes(range(0x80, 0x100))
WHITESPACE = b" \t"
CONTROLS = bytes(octet for octet in [*range(0x20), 0x7F] if octet != 0x09)


def octets(alphabet: bytes, min_size: int = 0, max_size: int = 20) -> st.SearchStrategy[bytes]:
    """Make byte strings out of `alphabet`."""
    table = bytes(alphabet[octet % len(alphabet)] for octet in range(256))
    return st.binary(min_size=min_size, max_size=max_size).map(lambda raw: raw.translate(table))


tokens = octets(TCHAR, 1)
"""RFC 9110 section 5.6.2."""

whitespace = octets(WHITESPACE, 0, 3)
"""OWS, RFC 9110 section 5.6.3."""

field_values = octets(VCHAR + OBS_TEXT + WHITESPACE)
"""RFC 9110 section 5.5, with whitespace around, which is not part of the value."""

origin_forms = octets(VCHAR.replace(b"#", b"")).map(lambda rest: b"/" + rest)
"""RFC 9112 section 3.2.1, and what browsers leave unescaped in it."""

_quoted_pairs = octets(WHITESPACE + VCHAR + OBS_TEXT, 1, 1).map(lambda octet: b"\\" + octet)
_quoted_texts = octets((WHITESPACE + VCHAR + OBS_TEXT).replace(b'"', b"").replace(b"\\", b""), 1, 1)
quoted_strings = st.lists(st.one_of(_quoted_texts, _quoted_pairs), max_size=8).map(
    lambda parts: b'"' + b"".join(parts) + b'"'
)
"""RFC 9110 section 5.6.4."""

chunk_extensions = st.lists(
    st.one_of(
        tokens.map(lambda name: b";" + name),
        st.tuples(tokens, st.one_of(tokens, quoted_strings)).map(lambda ext: b";%b=%b" % ext),
    ),
    max_size=3,
).map(b"".join)
"""RFC 9112 section 7.1.1, without the whitespace that only bad senders put there."""

trailers = st.lists(
    st.tuples(tokens, field_values).map(lambda field: b"%b:%b\r\n" % field), max_size=4
).map(b"".join)
"""A trailer section, RFC 9112 section 7.1.2, without its empty line."""


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Split `data` at `places`, each taken modulo its length; no piece is empty."""
    ends = sorted({place % len(data) for place in places} - {0}) if data else []
    return [data[start:end] for start, end in zip([0, *ends], [*ends, len(data)], strict=True)]


places = st.lists(st.integers(0, 10_000), max_size=12)
"""Where to `cut`."""
