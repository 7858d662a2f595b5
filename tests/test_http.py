"""The HTTP vocabulary: what carries it out has its forms."""

from __future__ import annotations

from pathlib import Path

from esg.file_part import open_file
from esg.http import File, OpenFile, Plan, PlanResponse, Wire
from esg.rules.response_head import DefaultFields, Http1Response, plan


def test_the_rules_of_http_1_are_a_plan_and_a_wire() -> None:
    """As far as types go, mypy says so; as far as it runs, an exchange does."""
    planning: PlanResponse = plan
    planned: Plan = planning("GET", 200, [])
    response = Http1Response("1.1", True, DefaultFields(None, False))
    wire: Wire = response
    wire.start(planned)
    wire.declare_length(1)
    assert wire.head() == b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n"


def test_what_is_opened_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    opening: OpenFile = open_file
    file: File = opening({"type": "http.response.pathsend", "path": str(tmp_path / "f")})
    assert len(file) == 3
    assert file.take() == b"abc"
    file.close()
