"""The schema's checks: what a Config takes, what it refuses, and what it says then."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from typing import Any

import pytest

import esg
from esg.config import Config
from esg.errors import ConfigError
from esg.options import flag_name, option_of

SETTINGS = [f for f in fields(Config) if option_of(f)]


def test_defaults_are_the_documented_ones() -> None:
    config = Config("example:app")
    assert (config.host, config.port, config.backlog) == ("127.0.0.1", 8000, 2048)
    assert (config.impl, config.loop, config.lifespan) == ("auto", "auto", "auto")
    assert config.timeout_keep_alive == 5
    assert config.timeout_headers == 10
    assert config.timeout_body == config.timeout_write == 60
    assert config.timeout_graceful_shutdown == 10
    assert config.timeout_lifespan == 30
    assert (config.limit_head_size, config.limit_fields) == (65536, 100)
    assert (config.limit_target_size, config.limit_body_size) == (8192, 0)
    assert config.log_level is None  # "info", or what log_config says
    assert config.access_log
    assert config.root_path == ""


def test_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Config("example:app").port = 1  # type: ignore[misc]


@pytest.mark.parametrize("app", ["example", "", ":", "example:", ":app", "a:b:c", None, 7])
def test_app_must_lead_somewhere(app: Any) -> None:
    with pytest.raises(ConfigError, match=r"^app must"):
        Config(app)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"bind": ["x"]}, "bind (--bind): must be HOST:PORT, [IPV6]:PORT"),
        ({"bind": "a:1"}, "bind (--bind): must be a list of addresses, got 'a:1'"),
        ({"bind": ["a:1"], "port": 1}, "bind (--bind) and port (--port) contradict each other"),
        ({"uds_permissions": "999"}, "uds_permissions (--uds-permissions): must be octal digits"),
        ({"uds_permissions": True}, "uds_permissions (--uds-permissions): must be octal digits"),
        ({"workers": 0}, "workers (--workers): must be at least 1, got 0"),
        ({"workers": 2, "reload": True}, "reload (--reload) and workers (--workers) contradict"),
        ({"reload_dir": "src"}, "reload_dir (--reload-dir): must be a list of strings, got 'src'"),
        ({"reload_include": [""]}, "reload_include (--reload-include): must be a list of strings"),
        ({"worker_init": "begin"}, "worker_init (--worker-init): must look like MODULE:FUNCTION"),
        ({"port": -1}, "port (--port): must be at least 0, got -1"),
        ({"port": 65536}, "port (--port): must be at most 65535, got 65536"),
        ({"port": "80"}, "port (--port): must be a whole number, got '80'"),
        ({"port": True}, "port (--port): must be a whole number, got True"),
        ({"port": 80.0}, "port (--port): must be a whole number, got 80.0"),
        ({"host": 1}, "host (--host): must be a string, got 1"),
        ({"host": None}, "host (--host): must be a string, got None"),
        ({"uds": 1}, "uds (--uds): must be a string, got 1"),
        ({"fd": -1}, "fd (--fd): must be at least 0, got -1"),
        ({"backlog": 0}, "backlog (--backlog): must be at least 1, got 0"),
        ({"loop": "gevent"}, "must be one of auto, asyncio, uvloop, trio, got 'gevent'"),
        ({"impl": "slow"}, "impl (--impl): must be one of auto, pure, fast, got 'slow'"),
        ({"lifespan": True}, "lifespan (--lifespan): must be one of auto, on, off, got True"),
        ({"log_level": "loud"}, "log_level (--log-level): must be one of critical"),
        ({"timeout_body": -0.5}, "timeout_body (--timeout-body): must be at least 0, got -0.5"),
        ({"timeout_body": float("nan")}, "timeout_body (--timeout-body): must be a number"),
        ({"timeout_write": float("inf")}, "timeout_write (--timeout-write): must be a number"),
        ({"access_log": "no"}, "access_log (--access-log): must be true or false, got 'no'"),
        ({"use_colors": "no"}, "use_colors (--use-colors): must be true or false, got 'no'"),
        ({"limit_head_size": 255}, "limit_head_size (--limit-head-size): must be at least 256"),
        ({"limit_fields": 0}, "limit_fields (--limit-fields): must be at least 1, got 0"),
        ({"root_path": "api"}, "root_path (--root-path): must be empty or begin with /"),
        ({"root_path": 1}, "root_path (--root-path): must be empty or begin with /"),
        ({"forwarded_allow_ips": "10.0.0.1/8"}, "(--forwarded-allow-ips): must be addresses"),
        ({"forwarded_allow_ips": [1]}, "(--forwarded-allow-ips): must be a text with commas"),
        ({"forwarded_fields": "for,x"}, "(--forwarded-fields): must be forwarded alone, or some"),
        ({"forwarded_fields": 1}, "(--forwarded-fields): must be a text with commas"),
        ({"ws": "other"}, "ws (--ws): must be one of auto, none, wsproto, websockets, got 'other'"),
        ({"ws_max_size": 0}, "ws_max_size (--ws-max-size): must be at least 1, got 0"),
        ({"ws_max_queue": 0}, "ws_max_queue (--ws-max-queue): must be at least 1, got 0"),
        ({"ws_ping_interval": -1}, "(--ws-ping-interval): must be a number of at least 0, or none"),
        ({"ws_ping_timeout": "x"}, "(--ws-ping-timeout): must be a number of at least 0, or none"),
        ({"ws_close_timeout": True}, "(--ws-close-timeout): must be a number of at least 0"),
        ({"ws_accept_timeout": float("nan")}, "(--ws-accept-timeout): must be a number of"),
        ({"ws_per_message_deflate": 1}, "must be true or false, got 1"),
        ({"header": "A: b"}, "header (--header): must be a list of NAME:VALUE, got 'A: b'"),
        ({"header": ["A"]}, "header (--header): must look like NAME:VALUE, got ['A']"),
        ({"header": [("A", 1)]}, "header (--header): must look like NAME:VALUE"),
        ({"header": ["A b: c"]}, "header (--header): must be a lawful header"),
        ({"header": ["A: b\r\nC: d"]}, "header (--header): must be a lawful header"),
        ({"limit_head_size": 10**400}, "must be at most 9223372036854775807, got 1000"),
        ({"timeout_body": 10**400}, "(--timeout-body): must be at most 9223372036854775807, got"),
        ({"timeout_body": 1e300}, "(--timeout-body): must be at most 9223372036854775807, got"),
        ({"ws_ping_interval": 10**400}, "(--ws-ping-interval): must be a number of at least 0"),
        ({"backlog": 2**31}, "backlog (--backlog): must be at most 2147483647, got 2147483648"),
        ({"fd": 2**31}, "fd (--fd): must be at most 2147483647, got 2147483648"),
        ({"env_file": "a\0b"}, "env_file (--env-file): must not have a NUL character"),
        ({"ssl_certfile": "a\0b"}, "(--ssl-certfile): must not have a NUL character"),
        ({"bind": ["unix:a\0b"]}, "bind (--bind): must not have a NUL character"),
        ({"root_path": "/\udcff"}, "root_path (--root-path): must be text"),
        ({"header": ["A: \u20ac"]}, "header (--header): must be a lawful header"),
    ],
    ids=lambda value: (
        "-".join(f"{k}={v!r}"[:20] for k, v in value.items()) if isinstance(value, dict) else ""
    ),
)
def test_wrong_values_are_named(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Config("example:app", **wrong)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_settings_are_named() -> None:
    with pytest.raises(ConfigError, match=r"^unknown setting 'prot'; did you mean 'port'\?$"):
        Config("example:app", prot=1)  # type: ignore[call-arg]
    with pytest.raises(ConfigError, match=r"^unknown setting 'quite_different'$"):
        Config("example:app", quite_different=1)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("together", "said"),
    [
        ({"uds": "/tmp/s", "fd": 3}, "uds (--uds) and fd (--fd) contradict each other"),
        ({"impl": "fast", "loop": "trio"}, "impl (--impl) fast and loop (--loop) trio contradict"),
    ],
)
def test_contradictions_name_both(together: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Config("example:app", **together)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        ["A: b", "C:d"],
        [("A", "b"), ("C", " d ")],
        {"A": "b", "C": "d"},
    ],
)
def test_headers_come_in_three_forms(given: Any) -> None:
    assert Config("example:app", header=given).header == (("A", "b"), ("C", "d"))


@pytest.mark.parametrize(("given", "kept"), [("", ""), ("/", ""), ("/a", "/a"), ("/a/b/", "/a/b")])
def test_root_path_has_no_slash_at_its_end(given: str, kept: str) -> None:
    assert Config("example:app", root_path=given).root_path == kept


def test_whole_seconds_are_as_good_as_floats() -> None:
    assert Config("example:app", timeout_body=3).timeout_body == 3


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_refuses_an_object(setting: Any) -> None:
    wrong: dict[str, Any] = {setting.name: object()}
    with pytest.raises(ConfigError) as caught:
        Config("example:app", **wrong)
    assert f"{setting.name} ({flag_name(setting.name)})" in str(caught.value)


def test_is_a_part_of_the_package() -> None:
    assert esg.Config is Config
    assert issubclass(esg.ConfigError, esg.ESGError)


@pytest.mark.parametrize(("given", "taken"), [(0.5, 0.5), ("2", 2.0), ("none", 0.0), (None, 0.0)])
def test_no_time_is_a_time(given: Any, taken: float) -> None:
    assert Config("example:app", ws_ping_interval=given).ws_ping_interval == taken


def test_codec_under_its_other_name() -> None:
    assert Config("example:app", ws="websockets-sansio").ws == "websockets"


@pytest.mark.parametrize(
    "settings",
    [{"workers": 2}, {"reload": True}, {"worker_max_age": 1}, {"worker_max_rss": 1}],
    ids=lambda settings: next(iter(settings)),
)
def test_other_processes_have_to_find_the_application(settings: dict[str, Any]) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        pass

    with pytest.raises(ConfigError, match=r"^app must look like 'module:attribute' for workers"):
        Config(app, **settings)
    assert Config("example:app", **settings).supervised
    assert not Config("example:app").supervised
