"""What a line of the access log says: gunicorn's and uvicorn's atoms, or a named format.

Everything that a client chooses is escaped: no byte of it can end a line or reach a terminal.
"""

from __future__ import annotations

import base64
import os
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from esg.rules.access_line import escaped

Fields = Iterable[tuple[bytes, bytes]]

DEFAULT: Final = "default"
_COMMON: Final = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s'
PRESETS: Final[dict[str, str]] = {
    DEFAULT: '%(client_addr)s - "%(r)s" %(s)s',
    "common": _COMMON,
    "combined": _COMMON + ' "%(f)s" "%(a)s"',
}
JSON: Final = "json"

_ATOM: Final = re.compile(r"%(?:(%)|\((?:\{([^}]+)\}([ioe])|(\w+))\)s)")


@dataclass(frozen=True, slots=True)
class AccessEntry:
    """Hold what is known of one request and its response.

    Args:
        host: the client's address, "unix" for a UNIX socket.
        peer: the same with its port.
        method: of the request, as are the next four.
        target: its path, and its query behind a question mark.
        http_version: "1.0" or "1.1".
        request_headers: names in lower case.
        status: of the response.
        response_headers: what the application gave it.
        size: bytes of content that were written.
        duration: seconds from the request's head to the response's end.
        ended: when that was, in seconds since 1970.
    """

    host: str
    peer: str
    method: str
    target: bytes
    http_version: str
    request_headers: Fields
    status: int
    response_headers: Fields
    size: int
    duration: float
    ended: float

    @property
    def request_line(self) -> str:
        """Return the first line of the request."""
        return f"{self.method} {escaped(self.target)} HTTP/{self.http_version}"

    def fields(self) -> dict[str, Any]:
        """Return the fields that a JSON line and a log record have."""
        path, _, query = self.target.partition(b"?")
        return {
            "client": self.peer,
            "request_line": self.request_line,
            "method": self.method,
            "path": escaped(path),
            "query_string": escaped(query),
            "http_version": self.http_version,
            "status": self.status,
            "bytes": self.size,
            "duration": round(self.duration, 6),
            "user_agent": header_value(self.request_headers, b"user-agent"),
        }


Render = Callable[[AccessEntry], str]


def header_value(headers: Fields, name: bytes) -> str:
    """Return a header's values, joined; "-" without one."""
    values = [value for key, value in headers if key.lower() == name]
    return escaped(b", ".join(values)) if values else "-"


def compile_format(text: str) -> Render:
    """Make the function that renders an entry.

    Args:
        text: a preset's name, or a format of atoms.

    Raises:
        ValueError: with what is allowed.
    """
    if text == JSON:
        return _render_json
    parts = list(_parts(PRESETS.get(text, text)))
    if not any(callable(part) for part in parts):
        names = ", ".join((*PRESETS, JSON))
        raise ValueError(f"must be one of {names}, or have atoms such as %(r)s")
    return lambda entry: "".join(part if isinstance(part, str) else part(entry) for part in parts)


def _parts(text: str) -> Iterable[str | Render]:
    end = 0
    for match in _ATOM.finditer(text):
        yield _literal(text[end : match.start()])
        yield _part(*match.groups())
        end = match.end()
    yield _literal(text[end:])


def _literal(text: str) -> str:
    if "%" in text:
        raise ValueError(f"must have %% for a percent sign that begins no atom ({text!r})")
    return text


def _part(percent: str | None, name: str | None, source: str | None, atom: str) -> str | Render:
    if percent:
        return percent
    if name is None:
        if atom not in _ATOMS:
            raise ValueError(
                f"must not have the unknown atom %({atom})s; known: {', '.join(_ATOMS)}"
            )
        return _ATOMS[atom]
    if source == "e":
        return lambda _: os.environ.get(name, "-")
    key = name.lower().encode("latin-1")
    if source == "i":
        return lambda entry: header_value(entry.request_headers, key)
    return lambda entry: header_value(entry.response_headers, key)


def _clock(ended: float) -> str:
    return time.strftime("[%d/%b/%Y:%H:%M:%S %z]", time.localtime(ended))


def _user(entry: AccessEntry) -> str:
    """Return the user of HTTP Basic authentication (RFC 7617)."""
    value = dict(entry.request_headers).get(b"authorization", b"")
    scheme, _, credentials = value.partition(b" ")
    if scheme.lower() != b"basic":
        return "-"
    try:
        user = base64.b64decode(credentials.strip(), validate=True).partition(b":")[0]
    except ValueError:
        return "-"
    return escaped(user) or "-"


def _query(entry: AccessEntry) -> str:
    return escaped(entry.target.partition(b"?")[2])


_ATOMS: Final[dict[str, Render]] = {
    "h": lambda e: e.host,
    "l": lambda _: "-",
    "u": _user,
    "t": lambda e: _clock(e.ended),
    "r": lambda e: e.request_line,
    "m": lambda e: e.method,
    "U": lambda e: escaped(e.target.partition(b"?")[0]),
    "q": _query,
    "H": lambda e: f"HTTP/{e.http_version}",
    "s": lambda e: str(e.status),
    "B": lambda e: str(e.size),
    "b": lambda e: str(e.size) if e.size else "-",
    "f": lambda e: header_value(e.request_headers, b"referer"),
    "a": lambda e: header_value(e.request_headers, b"user-agent"),
    "T": lambda e: str(int(e.duration)),
    "M": lambda e: str(int(e.duration * 1e3)),
    "D": lambda e: str(int(e.duration * 1e6)),
    "L": lambda e: f"{e.duration:.6f}",
    "p": lambda _: f"<{os.getpid()}>",
    # as uvicorn names them
    "client_addr": lambda e: e.peer,
    "request_line": lambda e: e.request_line,
    "status_code": lambda e: str(e.status),
}


def _render_json(entry: AccessEntry) -> str:
    ended = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(entry.ended))
    stamp = f"{ended}.{int(entry.ended % 1 * 1000):03d}Z"
    import json  # noqa: PLC0415 - costs time at start-up

    return json.dumps({"time": stamp, **entry.fields()})
