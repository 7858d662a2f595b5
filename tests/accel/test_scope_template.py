"""A scope that its application has changed or kept says nothing to another request."""

from __future__ import annotations

from itertools import product

from tests.accel.spoiling_app import SPOIL
from tests.conftest import Serve
from tests.rows import Row


def test_every_scope_is_new(serve: Serve, row: Row) -> None:
    """Whatever one request does, the next on its connection sees, keeps and changes its own."""
    server = serve("--lifespan", "off", app="tests.accel.spoiling_app:app", row=row)
    with server.connect() as client:
        first = client.get("/nothing").body
        assert b"esg.shutdown" in first
        for path in (path for pair in product(SPOIL, SPOIL) for path in pair):
            assert client.get(path).body == first, path


def test_trailers_are_offered_to_those_who_ask(serve: Serve, row: Row) -> None:
    server = serve("--lifespan", "off", app="tests.accel.spoiling_app:app", row=row)
    with server.connect() as client:
        asked = []
        for te in ("gzip", "trailers", "gzip", "trailers"):
            client.request("/nothing", fields=[("TE", te), ("Connection", "TE")])
            asked.append(b"http.response.trailers" in client.response().body)
    assert asked == [False, True, False, True]
