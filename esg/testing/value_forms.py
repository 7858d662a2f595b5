"""What values in scopes and messages must look like: one function for each form.

Each returns what is wrong with a value, or None. "Byte string" is `bytes` and "Unicode string" is
`str`: ASGI 3.0, "Strings and Unicode"; a bytearray or a memoryview is neither.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable
from typing import Any

from esg.errors import MessageError
from esg.rules.response_head import checked_field

Form = Callable[[Any], str | None]

_INT64 = 2**63


def kind(value: object) -> str:
    """Show a value briefly, with its type where that does not speak for itself."""
    shown = repr(value)
    if len(shown) > 60:
        shown = f"{shown[:60]}..."
    return (
        shown if isinstance(value, bool | int | str | bytes) else f"{type(value).__name__} {shown}"
    )


def byte_string(value: Any) -> str | None:
    """Want bytes."""
    return None if isinstance(value, bytes) else f"must be a byte string, got {kind(value)}"


def unicode_string(value: Any) -> str | None:
    """Want str."""
    return None if isinstance(value, str) else f"must be a Unicode string, got {kind(value)}"


def encodable_string(value: Any) -> str | None:
    """Want str that can go over the wire as UTF-8: without lone surrogates."""
    wrong = unicode_string(value)
    if wrong:
        return wrong
    try:
        value.encode()
    except UnicodeEncodeError as error:
        return f"must be encodable as UTF-8, got {kind(value)} ({error.reason})"
    return None


def non_empty_string(value: Any) -> str | None:
    """Want str with something in it."""
    return unicode_string(value) or (None if value else "must not be empty")


def boolean(value: Any) -> str | None:
    """Want True or False."""
    return None if isinstance(value, bool) else f"must be a bool, got {kind(value)}"


def integer(value: Any) -> str | None:
    """Want an int that is no bool."""
    if isinstance(value, int) and not isinstance(value, bool):
        return None
    return f"must be an int, got {kind(value)}"


def non_negative(value: Any) -> str | None:
    """Want an int from 0 on."""
    return integer(value) or (None if value >= 0 else f"must not be negative, got {value}")


def optional(form: Form) -> Form:
    """Allow None, too."""
    return lambda value: None if value is None else form(value)


def mapping(value: Any) -> str | None:
    """Want a dict with Unicode strings for keys."""
    if not isinstance(value, dict):
        return f"must be a dict, got {kind(value)}"
    odd = next((key for key in value if not isinstance(key, str)), None)
    return None if odd is None else f"has the key {odd!r}, which is no Unicode string"


def absolute_path(value: Any) -> str | None:
    """Want the absolute path of a file."""
    wrong = unicode_string(value)
    return wrong or (None if os.path.isabs(value) else f"must be absolute, got {value!r}")  # noqa: PTH117 - no Path is made of what may be none


def file_object(value: Any) -> str | None:
    """Want an object with a file descriptor of the operating system."""
    try:
        value.fileno()
    except (AttributeError, OSError, ValueError) as error:
        return f"must have a file descriptor, got {kind(value)} ({error})"
    return None


def iterable_of(form: Form) -> Form:
    """Want an iterable whose every item has a form; strings are none."""

    def check(value: Any) -> str | None:
        if not isinstance(value, Iterable) or isinstance(value, str | bytes):
            return f"must be an iterable, got {kind(value)}"
        wrong = (form(item) for item in value)
        return next((f"has an item that {found}" for found in wrong if found), None)

    return check


def pair_of_bytes(value: Any) -> str | None:
    """Want the two-item iterable [byte string, byte string] of a header."""
    if not isinstance(value, Iterable) or isinstance(value, str | bytes):
        return f"must be a [name, value] pair, got {kind(value)}"
    pair = list(value)
    if len(pair) != 2:
        return f"must have two items, got {kind(value)}"
    wrong = byte_string(pair[0]) or byte_string(pair[1])
    return f"{wrong} in {kind(value)}" if wrong else None


def request_headers(value: Any) -> str | None:
    """Want headers as a server may give them: any case, but no pseudo headers."""
    wrong = iterable_of(pair_of_bytes)(value)
    if wrong:
        return wrong
    pseudo = next((name for name, _ in value if name.startswith(b":")), None)
    return None if pseudo is None else f"has the pseudo header {pseudo!r}"


def response_headers(value: Any) -> str | None:
    """Want headers as an application may send them: lower-case names that are tokens, no pseudo."""
    wrong = request_headers(value)
    if wrong:
        return wrong
    for name, field_value in value:
        if name != name.lower():
            return f"has the name {name!r}, which is not lowercased"
        try:
            checked_field(name, field_value)
        except MessageError as error:
            return f"must be lawful ({error})"
    return None


def accept_headers(value: Any) -> str | None:
    """Want response headers without the one that has a key of its own."""
    wrong = response_headers(value)
    if wrong:
        return wrong
    if any(name == b"sec-websocket-protocol" for name, _ in value):
        return "must not include sec-websocket-protocol: use the key 'subprotocol'"
    return None


def link_value(value: Any) -> str | None:
    """Want the value of a Link header."""
    wrong = byte_string(value)
    if wrong:
        return wrong
    try:
        checked_field(b"link", value)
    except MessageError as error:
        return f"must be lawful ({error})"
    return None


def final_status(value: Any) -> str | None:
    """Want the status code of a final response (RFC 9110 section 15)."""
    wrong = integer(value)
    if wrong:
        return wrong
    return None if 200 <= value <= 599 else f"must be from 200 to 599, got {int(value)}"


def address(value: Any) -> str | None:
    """Want [host, port]."""
    return _address(value, integer)


def own_address(value: Any) -> str | None:
    """Want [host, port], or [path, None]."""
    return _address(value, optional(integer))


def _address(value: Any, port: Form) -> str | None:
    if not isinstance(value, Iterable) or isinstance(value, str | bytes):
        return f"must be a two-item iterable, got {kind(value)}"
    parts = list(value)
    if len(parts) != 2:
        return f"must have two items, got {kind(value)}"
    wrong = unicode_string(parts[0]) or port(parts[1])
    return f"{wrong} in {kind(value)}" if wrong else None


def serialisable(value: Any) -> str | None:
    """Want what a message may contain (ASGI 3.0, "Events")."""
    if value is None or isinstance(value, bytes | str | bool):
        return None
    if isinstance(value, int):
        return None if -_INT64 <= value < _INT64 else f"exceeds 64 bits: {value}"
    if isinstance(value, float):
        return None if math.isfinite(value) else f"must be finite, got {value}"
    if isinstance(value, dict):
        return mapping(value) or _first_wrong(value.values())
    if isinstance(value, list | tuple):
        return _first_wrong(value)
    return f"must not be in a message: {kind(value)}"


def _first_wrong(values: Iterable[Any]) -> str | None:
    return next((wrong for wrong in map(serialisable, values) if wrong), None)
