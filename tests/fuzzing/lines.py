"""Header fields written as lines, for targets whose input is a list of fields."""

from __future__ import annotations


def field_lines(data: bytes) -> list[tuple[bytes, bytes]]:
    """Read `name: value` lines as a lawful head has them, as far as they go.

    Names are in lower case, values without control octets: others never come so far.
    """
    fields = []
    for line in data.split(b"\n"):
        name, colon, value = line.partition(b":")
        if colon and name:
            kept = bytes(octet for octet in value if octet == 9 or 0x20 <= octet != 0x7F)
            fields.append((name.lower(), kept.strip(b" \t")))
    return fields
