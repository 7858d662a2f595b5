"""A line of the access log is one line of visible ASCII, whatever a client and its request are."""

from __future__ import annotations

import json

from esg.access_format import PRESETS, AccessEntry, compile_format
from esg.rules.access_line import shown_address
from tests.fuzzing.given import Given
from tests.fuzzing.lines import field_lines

EVERY_ATOM = (
    "%(h)s %(l)s %(u)s %(t)s %(r)s %(m)s %(U)s %(q)s %(H)s %(s)s %(B)s %(b)s %(f)s %(a)s %(T)s "
    "%(M)s %(D)s %(L)s %(client_addr)s %(request_line)s %(status_code)s %({x-one}i)s %({x-two}o)s"
)
FORMATS = (*PRESETS, EVERY_ATOM, "json")
CLIENTS = (("127.0.0.1", 1), ("::1", 2), None, ("\x1b[2J\n", None))
_ENDED = 1e9


def check(given: Given) -> None:
    """Render an entry, and take the input for a format of its own."""
    client = given.one_of(CLIENTS)
    target, _, rest = given.stream.partition(b"\n")
    fields = field_lines(rest)
    entry = AccessEntry(
        host="unix" if client is None or client[1] is None else client[0],
        peer=shown_address(client),
        method="GET",
        target=target,
        http_version="1.1",
        request_headers=fields,
        status=200,
        response_headers=fields,
        size=len(given.stream),
        duration=0.25,
        ended=_ENDED,
    )
    for known in FORMATS:
        line = compile_format(known)(entry)
        assert line.isascii()
        assert line.isprintable(), line
        if known == "json":
            assert json.loads(line)["method"] == "GET"
    _check_format(given.stream.decode("utf-8", "replace"), entry)


def _check_format(text: str, entry: AccessEntry) -> None:
    """A format is the operator's: what is wrong with it is a ValueError, at once."""
    try:
        render = compile_format(text)
    except ValueError:
        return
    assert isinstance(render(entry), str)
