"""The contract in server-sent events (HTML standard, section 9.2)."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator, Mapping

import pytest

from tests.ecosystem.site import Site
from tests.ecosystem.sites.stage import BEGINNING, PIECES


def fields_of(lines: Iterator[str]) -> dict[str, str]:
    """Read one event."""
    fields: dict[str, str] = {}
    for line in lines:
        if not line:
            break
        name, _, value = line.partition(": ")
        fields[name] = value
    return fields


def streamed_response(site: Site) -> None:
    """Each event comes while the site waits; one who comes back goes on behind what it has seen."""
    with site.client.stream("GET", "/stream") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        for number, piece in enumerate(PIECES, 1):
            assert fields_of(lines) == {"id": str(number), "data": piece.strip()}
            site.open_gate()
        assert fields_of(lines) == {}
    with site.client.stream("GET", "/stream", headers={"Last-Event-ID": "2"}) as answer:
        lines = answer.iter_lines()
        assert fields_of(lines)["id"] == "3"
        site.open_gate()
        assert fields_of(lines) == {}


def exception_in_stream(site: Site) -> None:
    with site.server.connect() as client:
        client.request("/broken")
        with pytest.raises(http.client.IncompleteRead) as error:
            client.response()
    assert error.value.partial.decode().split() == ["data:", BEGINNING.strip()]
    assert site.client.get("/nothing").status_code == 404


CHECKS: Mapping[str, Callable[[Site], None]] = {
    "streamed response": streamed_response,
    "exception in a stream": exception_in_stream,
}
