"""`make abuse-peers` sees what an attack does: to ESG, and to a server that takes everything."""

from __future__ import annotations

import re
import sys

import pytest

from tests.hardening.attacked import Attacked
from tests.hardening.attacks import SLOW, THROWN
from tests.hardening.peers import Server, page, servers, throw_at
from tests.rows import FIRST_ROW
from tests.server import REPOSITORY

ATTACK = THROWN["a field that does not end"]
GULLIBLE = (sys.executable, str(REPOSITORY / "tests" / "hardening" / "gullible.py"), "{port}")


def test_server_that_takes_everything() -> None:
    with Attacked(GULLIBLE) as running:
        assert re.fullmatch(r"\*\*\d+\*\*", throw_at(running, ATTACK))


@pytest.mark.parametrize("attack", ["a field that does not end", "pings without reading the pongs"])
def test_server_that_does_not(attack: str) -> None:
    ours = next(server for server in servers() if server.id == FIRST_ROW.id)
    with Attacked(ours.command) as running:
        assert re.fullmatch(r"\d+", throw_at(running, THROWN[attack]))


def test_page_shows_every_cell() -> None:
    server = Server("a", "a 1", ("/x/bin/python", "-m", "a"))
    known = {"a": {"thrown": dict.fromkeys(THROWN, "7"), "slow": dict.fromkeys(SLOW, "8")}}
    written = page(known, [server])
    for kind in THROWN:
        assert f"| {kind} | 7 |" in written
    for kind in SLOW:
        assert f"| {kind} | 8 |" in written
    assert "| a | a 1 | `python -m a` |" in written
