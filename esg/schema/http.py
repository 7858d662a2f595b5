"""Settings: what the server adds to responses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from esg.errors import MessageError
from esg.options import setting
from esg.rules.response_head import checked_field

# The server writes these itself, for each response.
_FRAMING_HEADERS = frozenset(
    ("connection", "content-length", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade")
)

_HEADING = "HTTP"


def _header(value: Any) -> tuple[str, str]:
    """Take "Name: value", or a pair, as one default header."""
    if isinstance(value, str) and ":" in value:
        name, _, text = value.partition(":")
    elif (
        isinstance(value, (tuple, list))
        and len(value) == 2
        and all(isinstance(v, str) for v in value)
    ):
        name, text = value
    else:
        raise ValueError("must look like NAME:VALUE")
    try:
        checked_field(name.strip().encode("latin-1"), text.strip().encode("latin-1"))
    except (MessageError, UnicodeEncodeError) as error:
        raise ValueError(f"must be a lawful header ({error})") from None
    if name.strip().lower() in _FRAMING_HEADERS:
        raise ValueError("must not be a header that frames a message or steers its connection")
    return name.strip(), text.strip()


def _headers(value: Any) -> tuple[tuple[str, str], ...]:
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise ValueError("must be a list of NAME:VALUE")
    items = value.items() if isinstance(value, Mapping) else value
    return tuple(_header(item) for item in items)


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class HTTPSettings:
    """What the server adds to responses."""

    server_header: bool = setting(True, "Send the Server header.", _HEADING)
    date_header: bool = setting(True, "Send the Date header.", _HEADING)
    header: tuple[tuple[str, str], ...] = setting(
        (),
        "Header for every response that does not set it itself; repeatable.",
        _HEADING,
        metavar="NAME:VALUE",
        repeatable=True,
        parse=_headers,
    )
