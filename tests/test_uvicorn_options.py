"""uvicorn's options that ESG has under another name."""

from __future__ import annotations

from typing import Any

import pytest

from esg.errors import ConfigError
from esg.uvicorn_options import translate


@pytest.mark.parametrize(
    ("given", "taken", "notices"),
    [
        ({}, {}, []),
        ({"http": "auto"}, {}, []),
        ({"reset_contextvars": True}, {}, []),
        ({"http": "h11"}, {"impl": "pure"}, ["--http h11 is taken as --impl pure"]),
        ({"http": "httptools"}, {"impl": "fast"}, ["--http httptools is taken as --impl fast"]),
        (
            {"http": "h11", "impl": "pure"},
            {"impl": "pure"},
            ["--http h11 is taken as --impl pure"],
        ),
        (
            {"h11_max_incomplete_event_size": "4096"},
            {"limit_head_size": "4096"},
            ["--h11-max-incomplete-event-size 4096 is taken as --limit-head-size 4096"],
        ),
    ],
)
def test_translation(given: dict[str, Any], taken: dict[str, Any], notices: list[str]) -> None:
    arguments = dict(given)
    assert translate(arguments) == notices
    assert arguments == taken


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"http": "zttp"}, "--http: must be one of auto, h11, httptools, got 'zttp'"),
        ({"http": "h11", "impl": "fast"}, "--http h11 and --impl fast contradict each other"),
    ],
)
def test_what_cannot_be_translated(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        translate(dict(given))
    assert str(caught.value) == said
