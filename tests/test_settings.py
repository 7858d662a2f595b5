"""Where settings come from, which source wins, and what is said of wrong ones."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from esg.config import Config
from esg.errors import ConfigError
from esg.settings import DEFAULT, Found, Settings, as_toml, collect


@pytest.fixture(autouse=True)
def current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no pyproject.toml but a test's own."""
    monkeypatch.chdir(tmp_path)


def from_file(text: str, name: str = "esg.toml", **arguments: Any) -> Settings:
    path = Path(name)
    path.write_text(text, "utf-8")
    return collect(arguments, {}, path)


def test_defaults() -> None:
    settings = collect({"app": "example:app"}, {}, None)
    assert settings.found["port"] == Found(8000, DEFAULT)
    assert settings.given() == {"app": "example:app"}
    assert settings.config() == Config("example:app")


def test_precedence() -> None:
    Path("esg.toml").write_text("port = 1\nhost = 'file'\nroot-path = '/file'\n", "utf-8")
    environment = {"ESG_PORT": "2", "ESG_HOST": "environment", "OTHER": "x"}
    settings = collect({"app": "a:b", "port": "3"}, environment, Path("esg.toml"))
    assert settings.found["port"] == Found(3, "--port")
    assert settings.found["host"] == Found("environment", "$ESG_HOST")
    assert settings.found["root_path"] == Found("/file", "esg.toml")
    assert settings.found["backlog"] == Found(2048, DEFAULT)


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("ESG_APP", "example:app", "example:app"),
        ("ESG_FACTORY", "true", True),
        ("ESG_FACTORY", "Yes", True),
        ("ESG_ACCESS_LOG", "0", False),
        ("ESG_ACCESS_LOG", "off", False),
        ("ESG_TIMEOUT_BODY", "2.5", 2.5),
        ("ESG_LOOP", "TRIO", "trio"),
        ("ESG_LOG_LEVEL", "Debug", "debug"),
        ("ESG_HEADER", "A: b, c\nD: e\n", (("A", "b, c"), ("D", "e"))),
        ("ESG_ACCESS_LOG_EXCLUDE", "/health", ("/health",)),
        ("ESG_UDS", "/run/esg", "/run/esg"),
        ("ESG_FD", "3", 3),
    ],
)
def test_environment(variable: str, text: str, value: Any) -> None:
    name = variable.removeprefix("ESG_").lower()
    assert collect({}, {variable: text}, None).found[name] == Found(value, "$" + variable)


def test_an_empty_variable_is_none() -> None:
    settings = collect({}, {"ESG_PORT": "", "ESG_UDS": ""}, None)
    assert settings.given() == {}
    assert settings.errors == []


def test_variable_of_others_stands_in_for_a_default() -> None:
    others = {"FORWARDED_ALLOW_IPS": "10.0.0.1"}
    found = collect({}, others, None).found["forwarded_allow_ips"]
    assert found == Found("10.0.0.1", "$FORWARDED_ALLOW_IPS")
    own = {**others, "ESG_FORWARDED_ALLOW_IPS": "unix"}
    found = collect({}, own, None).found["forwarded_allow_ips"]
    assert found == Found("unix", "$ESG_FORWARDED_ALLOW_IPS")
    Path("esg.toml").write_text('forwarded-allow-ips = ["10.0.0.2", "*"]', "utf-8")
    found = collect({}, others, Path("esg.toml")).found["forwarded_allow_ips"]
    assert found == Found("10.0.0.2,*", "esg.toml")


def test_variable_of_others_may_be_wrong() -> None:
    wrong = collect({}, {"FORWARDED_ALLOW_IPS": "localhost"}, None).errors
    assert len(wrong) == 1
    assert wrong[0].startswith("forwarded_allow_ips ($FORWARDED_ALLOW_IPS): must be addresses,")
    assert wrong[0].endswith("got 'localhost'")


def test_the_variable_that_platforms_set_for_workers() -> None:
    """It stands in for the default: everything else is more specific."""
    environment = {"WEB_CONCURRENCY": "3"}
    assert collect({}, environment, None).found["workers"] == Found(3, "$WEB_CONCURRENCY")
    assert collect({}, {**environment, "ESG_WORKERS": "4"}, None).found["workers"].value == 4
    assert collect({"workers": "5"}, environment, None).found["workers"].value == 5
    Path("esg.toml").write_text("workers = 6\n", "utf-8")
    assert collect({}, environment, Path("esg.toml")).found["workers"].value == 6
    assert collect({}, {"WEB_CONCURRENCY": ""}, None).found["workers"] == Found(1, DEFAULT)
    (error,) = collect({"app": "a:b"}, {"WEB_CONCURRENCY": "many"}, None).errors
    assert error == "workers ($WEB_CONCURRENCY): must be a whole number, got 'many'"
    (error,) = collect({"app": "a:b", "reload": True}, environment, None).all_errors()
    assert "reload (--reload) and workers (--workers) contradict each other" in error


def test_file_of_every_type() -> None:
    settings = from_file(
        """
        app = "example:app"
        port = 80
        timeout-body = 2
        factory = true
        header = ["A: b"]
        access_log_exclude = ["/health"]
        [log-config]
        version = 1
        """
    )
    assert settings.errors == []
    config = settings.config()
    assert (config.app, config.port, config.timeout_body) == ("example:app", 80, 2)
    assert config.factory
    assert config.header == (("A", "b"),)
    assert config.log_config == {"version": 1}


def test_project_file() -> None:
    Path("pyproject.toml").write_text('[project]\nname = "x"\n[tool.esg]\nport = 81\n', "utf-8")
    assert collect({}, {}, None).found["port"] == Found(81, "pyproject.toml")
    Path("other.toml").write_text("port = 82\n", "utf-8")
    assert collect({}, {}, Path("other.toml")).found["port"] == Found(82, "other.toml")


@pytest.mark.parametrize("text", ["tool = 1", "[tool]\nesg = 'x'"])
def test_project_file_whose_table_is_none(text: str) -> None:
    Path("pyproject.toml").write_text(text, "utf-8")
    assert collect({}, {}, None).errors == ["pyproject.toml: [tool.esg] must be a table"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prot = 1", "esg.toml: unknown setting 'prot'; did you mean 'port'?"),
        ("zzz = 1", "esg.toml: unknown setting 'zzz'"),
        ("port = 'x'", "port (esg.toml): must be a whole number, got 'x'"),
        ("header = 'A: b'", "header (esg.toml): must be a list of NAME:VALUE, got 'A: b'"),
    ],
)
def test_wrong_settings_in_a_file(text: str, said: str) -> None:
    assert from_file(text).errors == [said]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("port = ", "esg.toml is no TOML: Invalid value"),
        ("port = " + "[" * 5000, "esg.toml is no TOML: "),
        (None, "cannot read esg.toml: No such"),
    ],
    ids=["no-value", "deep", "missing"],
)
def test_files_that_are_no_settings(text: str | None, said: str) -> None:
    if text is not None:
        Path("esg.toml").write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        collect({}, {}, Path("esg.toml"))
    assert str(caught.value).startswith(said)


def test_every_error_is_told() -> None:
    settings = collect({"app": "a:b", "port": "x"}, {"ESG_LOOP": "gevent"}, None)
    assert settings.all_errors() == [
        "loop ($ESG_LOOP): must be one of auto, asyncio, uvloop, trio, got 'gevent'",
        "port (--port): must be a whole number, got 'x'",
    ]
    with pytest.raises(ConfigError):
        settings.config()


def test_contradictions_are_told_with_wrong_values() -> None:
    arguments = {"app": "a:b", "impl": "fast", "port": "x"}
    settings = collect(arguments, {"ESG_LOOP": "trio"}, None)
    wrong, contradiction = settings.all_errors()
    assert wrong.startswith("port (--port)")
    assert "contradict each other" in contradiction


def test_a_wrong_value_is_not_part_of_a_contradiction() -> None:
    arguments = {"app": "a:b", "uds": "path", "fd": "x"}
    (wrong,) = collect(arguments, {}, None).all_errors()
    assert wrong.startswith("fd (--fd)")


def test_missing_app() -> None:
    (error,) = collect({}, {}, None).all_errors()
    assert error.startswith("missing APP")


def test_shown_settings_are_toml_that_gives_the_same() -> None:
    given = {
        "app": "example:app",
        "header": ('A: "quoted" \\ back', "B: c"),
        "timeout_body": "0.5",
        "use_colors": False,
        "access_log_exclude": ("/a", "/b\tc\x7f"),
    }
    settings = collect(given, {"ESG_PORT": "1"}, None)
    text = "\n".join(as_toml(settings))
    assert "# --header" in text
    assert "# $ESG_PORT" in text
    again = from_file(text)
    assert again.errors == []
    assert again.config() == settings.config()


def test_what_toml_cannot_say_is_shown_as_a_comment() -> None:
    given = {"app": "example:app", "header": ("A: \udcff",)}
    settings = collect(given, {"ESG_SSL_CERTFILE": "/a\udcff.pem"}, None)
    text = "\n".join(as_toml(settings))
    assert {"ssl_certfile", "header"}.isdisjoint(tomllib.loads(text))
    assert re.search(
        r"^# ssl_certfile .*'/a\\udcff.pem'  # \$ESG_SSL_CERTFILE$", text, re.MULTILINE
    )


def test_a_secret_is_not_shown() -> None:
    given = {"app": "example:app", "ssl_certfile": "a.crt", "ssl_keyfile_password": "sesame"}
    settings = collect(given, {}, None)
    text = "\n".join(as_toml(settings))
    assert "sesame" not in text
    assert re.search("^# ssl_keyfile_password .*set.*--ssl-keyfile-password$", text, re.MULTILINE)
    assert "sesame" not in repr(settings.config())
    wrong = collect({"app": "example:app"}, {"ESG_SSL_KEYFILE_PASSWORD": "sesame" * 999}, None)
    assert "$ESG_SSL_KEYFILE_PASSWORD" in wrong.errors[0]
    assert "sesame" not in wrong.errors[0]


def test_a_table_is_shown_inline() -> None:
    settings = from_file(
        "app = 'a:b'\n[log_config]\nversion = 1\n[log_config.root]\nlevel = 'INFO'\n"
    )
    shown = tomllib.loads("\n".join(as_toml(settings)))
    assert shown["log_config"] == {"version": 1, "root": {"level": "INFO"}}
