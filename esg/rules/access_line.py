"""What the access log says of a response in its default format.

Everything that a client chooses is escaped: no byte of it can end a line or reach a terminal. Must
not know where lines go.
"""

from __future__ import annotations

from typing import TypeAlias

_Address: TypeAlias = tuple[str, int | None] | None


def access_line(
    client: _Address, method: str, target: bytes, http_version: str, status: int
) -> str:
    """Return the line, without its end.

    Args:
        client: the peer.
        method: of the request, a token.
        target: its path, and its query behind a question mark.
        http_version: "1.0" or "1.1".
        status: of the response.
    """
    return f'{shown_address(client)} - "{method} {escaped(target)} HTTP/{http_version}" {status}'


def shown_address(client: _Address) -> str:
    """Return a peer's address as logs show it.

    The name that a UNIX socket's peer may have is its own choice, line ends included: not shown.
    """
    if client is None or client[1] is None:
        return "unix"
    host, port = client
    if not host.isprintable():  # what a zone of IPv6 may hold
        host = ascii(host)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def escaped(value: bytes) -> str:
    r"""Return bytes of a client as text of one line: anything but visible ASCII as \xhh."""
    text = value.decode("latin-1")
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    if " " <= character <= "~" and character not in '"\\':
        return character
    return f"\\x{ord(character):02x}"
