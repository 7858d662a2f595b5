"""What gunicorn's settings become, and what of them is said to have no effect."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from gunicorn.config import Config as GunicornConfig

from esg.config import Config
from esg.errors import ConfigError
from esg.gunicorn_settings import settings_for, without_effect
from esg.options import variable_name


async def app(*_: object) -> None:
    """Be an application."""


def configured(**settings: Any) -> GunicornConfig:
    config = GunicornConfig()
    for name, value in settings.items():
        config.set(name, value)
    return config


def translated(env: dict[str, str] | None = None, **settings: Any) -> Config:
    return Config(app, **settings_for(configured(**settings), sys.maxsize, env or {}))


@pytest.mark.parametrize(
    ("gunicorns", "name", "expected"),
    [
        ({"keepalive": 75}, "timeout_keep_alive", 75),
        ({"keepalive": 0}, "timeout_keep_alive", 0.001),
        ({"graceful_timeout": 30}, "timeout_graceful_shutdown", 29),
        ({"graceful_timeout": 2}, "timeout_graceful_shutdown", 1.5),
        ({"graceful_timeout": 0}, "timeout_graceful_shutdown", 0.001),
        ({"limit_request_line": 1000}, "limit_target_size", 1000),
        ({"limit_request_line": 0}, "limit_target_size", sys.maxsize),
        ({"limit_request_fields": 7}, "limit_fields", 7),
        ({"backlog": 64}, "backlog", 64),
        ({"access_log_format": "%(p)s %(r)s"}, "access_log_format", "%(p)s %(r)s"),
        ({"forwarded_allow_ips": "10.0.0.1, ::1"}, "forwarded_allow_ips", "10.0.0.1,::1,unix"),
        ({"forwarded_allow_ips": "*"}, "forwarded_allow_ips", "*,unix"),
        ({"worker_connections": 1000}, "limit_connections", 0),
        ({"worker_connections": 7}, "limit_connections", 7),
    ],
)
def test_a_setting_is_taken_over(gunicorns: dict[str, Any], name: str, expected: object) -> None:
    assert getattr(translated(**gunicorns), name) == expected


@pytest.mark.parametrize(
    ("name", "value", "ours", "expected"),
    [
        ("asgi_loop", "asyncio", "loop", "asyncio"),
        ("asgi_lifespan", "off", "lifespan", "off"),
        ("asgi_disconnect_grace_period", 7, "cancel_on_disconnect", 7),
        ("root_path", "/api", "root_path", "/api"),
        ("websocket_max_message_size", 1000, "ws_max_size", 1000),
    ],
)
def test_a_setting_of_newer_gunicorns_is_taken_over_where_it_was_changed(
    name: str, value: Any, ours: str, expected: object
) -> None:
    if name not in GunicornConfig().settings:
        pytest.skip(f"this gunicorn has no {name}")
    assert getattr(translated(), ours) == getattr(Config(app), ours)
    assert getattr(translated(**{name: value}), ours) == expected


def test_the_limit_of_requests_has_its_jitter_already() -> None:
    assert settings_for(configured(), 105, {})["limit_max_requests"] == 105
    assert settings_for(configured(), sys.maxsize, {})["limit_max_requests"] == 0


def test_variables_of_our_own_win() -> None:
    ours = {"ESG_TIMEOUT_KEEP_ALIVE": "9", "ESG_WS_MAX_SIZE": "100", "PORT": "1"}
    config = translated(ours, keepalive=75)
    assert (config.timeout_keep_alive, config.ws_max_size) == (9, 100)


def test_so_does_a_file_that_a_variable_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "esg.toml").write_text("timeout-keep-alive = 9\n")
    (tmp_path / "pyproject.toml").write_text('[tool.esg]\nport = 80\nroot-path = "/no"\n')
    monkeypatch.chdir(tmp_path)
    config = translated({"ESG_CONFIG": "esg.toml"})
    assert (config.timeout_keep_alive, config.root_path) == (9, "")


@pytest.mark.parametrize("name", ["app", "port", "bind", "limit_max_requests", "access_log"])
def test_what_is_gunicorns_business_is_refused(name: str) -> None:
    variables = {variable_name(name): {"app": "a:b", "bind": "fd://3"}.get(name, "0")}
    with pytest.raises(
        ConfigError, match=rf"^\${variable_name(name)}: {name} is gunicorn's business here: use "
    ):
        settings_for(configured(), sys.maxsize, variables | {"ESG_CONFIG": ""})


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong = {"ESG_WS_MAX_SIZE": "much", "ESG_PORT": "80"}
    with pytest.raises(ConfigError) as found:
        settings_for(configured(), sys.maxsize, wrong)
    assert len(str(found.value).splitlines()) == 2


def test_what_has_no_effect_is_told_where_it_was_changed() -> None:
    assert list(without_effect(configured())) == []

    def hook(_worker: object, _request: object) -> None:
        """Be a hook."""

    told = list(without_effect(configured(threads=4, pre_request=hook)))
    assert told == [
        "threads has no effect on ESG's workers: a worker has one event loop",
        "pre_request has no effect on ESG's workers",
    ]
