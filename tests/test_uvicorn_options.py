"""uvicorn's options that ESG has under another name, and all keywords of `uvicorn.run()`."""

from __future__ import annotations

import inspect
import logging
import ssl
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from esg.config import Config
from esg.errors import ConfigError
from esg.uvicorn_options import keywords, translate


@pytest.mark.parametrize(
    ("given", "taken", "notices"),
    [
        ({}, {}, []),
        ({"http": "auto"}, {}, []),
        ({"reset_contextvars": True}, {}, []),
        ({"loop": "none"}, {"loop": "asyncio"}, []),
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
        ({"http": object}, "--http: must be one of auto, h11, httptools, got <class 'object'>"),
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
        (
            {"ws_ping_interval": None, "ws_ping_timeout": None},
            {"ws_ping_interval": 0.0, "ws_ping_timeout": 0.0},
            [],
        ),
        ({"log_config": None}, {"log_config": {"version": 1, "incremental": True}}, []),
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


def make_context(config: Any, default: Any) -> ssl.SSLContext:
    made: ssl.SSLContext = default()
    return made


# Each keyword of `uvicorn.run()`: a value, and what the setting is by it.
KEYWORDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "host": ("0.0.0.0", {"host": "0.0.0.0"}),
    "port": (0, {"port": 0}),
    "uds": ("app.sock", {"uds": "app.sock"}),
    "fd": (3, {"fd": 3}),
    "loop": ("uvloop", {"loop": "uvloop"}),
    "http": ("httptools", {"impl": "fast"}),
    "http2": (False, {}),
    "ws": ("websockets-sansio", {"ws": "websockets"}),
    "ws_max_size": (1000, {"ws_max_size": 1000}),
    "ws_max_queue": (8, {"ws_max_queue": 8}),
    "ws_ping_interval": (None, {"ws_ping_interval": 0.0}),
    "ws_ping_timeout": (7.5, {"ws_ping_timeout": 7.5}),
    "ws_per_message_deflate": (False, {"ws_per_message_deflate": False}),
    "lifespan": ("on", {"lifespan": "on"}),
    "interface": ("wsgi", {"interface": "wsgi"}),
    "reload": (True, {"reload": True}),
    "reload_dirs": (["src"], {"reload_dir": ("src",)}),
    "reload_includes": ("*.html", {"reload_include": ("*.html",)}),
    "reload_excludes": (["*.pyc"], {"reload_exclude": ("*.pyc",)}),
    "reload_delay": (1.5, {"reload_delay": 1.5}),
    "workers": (4, {"workers": 4}),
    "env_file": (Path("app.env"), {"env_file": "app.env"}),
    "log_config": (Path("log.ini"), {"log_config": "log.ini"}),
    "log_level": (logging.ERROR, {"log_level": "error"}),
    "access_log": (False, {"access_log": False}),
    "proxy_headers": (False, {"proxy_headers": False}),
    "server_header": (False, {"server_header": False}),
    "date_header": (False, {"date_header": False}),
    "forwarded_allow_ips": (["10.0.0.1", "10.0.0.2"], {"forwarded_allow_ips": "10.0.0.1,10.0.0.2"}),
    "root_path": ("/api", {"root_path": "/api"}),
    "limit_concurrency": (9, {"limit_concurrency": 9}),
    "backlog": (100, {"backlog": 100}),
    "limit_max_requests": (1000, {"limit_max_requests": 1000}),
    "limit_max_requests_jitter": (10, {"limit_max_requests_jitter": 10}),
    "timeout_keep_alive": (75, {"timeout_keep_alive": 75}),
    "timeout_graceful_shutdown": (30, {"timeout_graceful_shutdown": 30}),
    "timeout_worker_healthcheck": (60, {"timeout_worker_healthcheck": 60}),
    "ssl_keyfile": (Path("key.pem"), {"ssl_keyfile": "key.pem"}),
    "ssl_certfile": (Path("cert.pem"), {"ssl_certfile": "cert.pem"}),
    "ssl_keyfile_password": ("secret", {"ssl_keyfile_password": "secret"}),
    "ssl_version": (ssl.PROTOCOL_TLS_SERVER, {"ssl_version": 17}),
    "ssl_cert_reqs": (ssl.CERT_REQUIRED, {"ssl_cert_reqs": 2}),
    "ssl_ca_certs": (Path("ca.pem"), {"ssl_ca_certs": "ca.pem"}),
    "ssl_ciphers": ("ECDHE+AESGCM", {"ssl_ciphers": "ECDHE+AESGCM"}),
    "ssl_context_factory": (make_context, {"ssl_context_factory": make_context}),
    "headers": ([("X-Name", "value")], {"header": (("X-Name", "value"),)}),
    "use_colors": (True, {"use_colors": True}),
    "app_dir": ("src", {"app_dir": "src"}),
    "factory": (True, {"factory": True}),
    "h11_max_incomplete_event_size": (4096, {"limit_head_size": 4096}),
    "reset_contextvars": (True, {}),
}
# What TLS settings cannot be without.
CERTIFICATE = {"ssl_certfile": "cert.pem", "ssl_keyfile": "key.pem", "ssl_ca_certs": "ca.pem"}
OF_UVICORN = {
    name: parameter.default
    for name, parameter in inspect.signature(uvicorn.run).parameters.items()
    if name != "app"
}


def test_every_keyword_of_the_installed_uvicorn_is_known() -> None:
    assert set(KEYWORDS) == set(OF_UVICORN)


def test_uvicorns_defaults_are_taken() -> None:
    settings, notices = keywords(OF_UVICORN)
    assert notices == []
    Config("example:app", **settings)


@pytest.mark.parametrize("name", KEYWORDS)
def test_a_keyword_of_uvicorns_becomes_a_setting(name: str) -> None:
    value, expected = KEYWORDS[name]
    others = {n: v for n, v in CERTIFICATE.items() if name.startswith("ssl_") and n != name}
    settings, _ = keywords(others | {name: value})
    config = Config("example:app", **settings)
    assert {setting: getattr(config, setting) for setting in expected} == expected
