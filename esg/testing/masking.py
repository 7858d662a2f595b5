"""Take out of texts what differs from run to run by its nature: ports, dates, and more on request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

# IMF-fixdate, RFC 9110 section 5.6.7.
_DATE: Final = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d "
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT"
)
# RFC 6455 section 4.1: a client takes a new one for every opening handshake.
_KEY: Final = re.compile(r"(?<=sec-websocket-key: )\S+", re.IGNORECASE)


class Mask:
    """Replace what differs between two runs.

    Args:
        scope: whose client's and server's ports to mask, where they follow a host.
        patterns: regular expressions of what else to mask.
    """

    def __init__(self, scope: Mapping[str, Any], patterns: Iterable[str] = ()) -> None:
        ports = {str(port) for port in map(_port, (scope.get("client"), scope.get("server")))}
        self._rules = [(_DATE, "<date>"), (_KEY, "<key>")]
        if ports := ports - {"None"}:
            self._rules.append((re.compile(rf"(?<=[\w\].]):(?:{'|'.join(ports)})\b"), ":<port>"))
        self._rules += [(re.compile(pattern), "<masked>") for pattern in patterns]

    def text(self, text: str) -> str:
        """Return a text with everything masked."""
        for pattern, replacement in self._rules:
            text = pattern.sub(replacement, text)
        return text

    def octets(self, octets: bytes) -> bytes:
        """Return octets with everything masked."""
        return self.text(octets.decode("latin-1")).encode("latin-1")


def _port(address: Any) -> object:
    return address[1] if isinstance(address, list | tuple) and len(address) == 2 else None
