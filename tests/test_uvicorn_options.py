"""uvicorn's options that ESG has under another name."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from esg.errors import ConfigError
from esg.uvicorn_options import keywords, translate


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
        ({"http2": True}, "--http2: ESG speaks HTTP/1.1; HTTP/2 is for a proxy in front of it"),
        ({"http": "h11", "impl": "fast"}, "--http h11 and --impl fast contradict each other"),
    ],
)
def test_what_cannot_be_translated(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        translate(dict(given))
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("given", "settings", "notices"),
    [
        ({}, {}, []),
        ({"port": 0, "timeout_graceful_shutdown": None, "workers": None}, {"port": 0}, []),
        ({"headers": [("A", "b")]}, {"header": [("A", "b")]}, []),
        ({"reload_dirs": "src"}, {"reload_dir": ["src"]}, []),
        (
            {"reload_includes": ["*.html"], "reload_excludes": "*.pyc"},
            {"reload_include": ["*.html"], "reload_exclude": ["*.pyc"]},
            [],
        ),
        ({"env_file": Path("a/.env")}, {"env_file": str(Path("a/.env"))}, []),
        ({"log_level": logging.WARNING}, {"log_level": "warning"}, []),
        ({"log_level": 5}, {"log_level": "trace"}, []),
        ({"log_level": "debug"}, {"log_level": "debug"}, []),
        ({"http": "h11"}, {"impl": "pure"}, ["--http h11 is taken as --impl pure"]),
        ({"reset_contextvars": True, "http": "auto", "http2": False}, {}, []),
        (
            {"h11_max_incomplete_event_size": 4096},
            {"limit_head_size": 4096},
            ["--h11-max-incomplete-event-size 4096 is taken as --limit-head-size 4096"],
        ),
    ],
)
def test_keywords(given: dict[str, Any], settings: dict[str, Any], notices: list[str]) -> None:
    assert keywords(given) == (settings, notices)
