"""The user's own logging configuration: every form of file, and what is said of a wrong one."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from esg.errors import StartupError
from esg.log_config import apply_log_config
from esg.uvicorn_options import keywords

CONFIGURATION: dict[str, Any] = {
    "version": 1,
    "loggers": {"log_config_test": {"level": "ERROR", "propagate": False}},
}
FILES = {
    "log.json": json.dumps(CONFIGURATION),
    "log.toml": 'version = 1\n[loggers.log_config_test]\nlevel = "ERROR"\npropagate = false\n',
    "log.yaml": "version: 1\nloggers:\n  log_config_test: {level: ERROR, propagate: false}\n",
    "log.yml": "loggers:\n  log_config_test: {level: ERROR, propagate: false}\n",
    "log.ini": """
[loggers]
keys=root,mine
[handlers]
keys=
[formatters]
keys=
[logger_root]
handlers=
[logger_mine]
qualname=log_config_test
level=ERROR
handlers=
propagate=0
""",
}


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Give the root logger its handlers back; an ini file always configures it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def configured() -> Iterator[logging.Logger]:
    """Return the logger that the configurations here are about."""
    found = logging.getLogger("log_config_test")
    found.setLevel(logging.NOTSET)
    found.propagate = True
    yield found
    found.setLevel(logging.NOTSET)


def is_configured(target: logging.Logger) -> bool:
    return target.level == logging.ERROR and not target.propagate


def test_dictionary(configured: logging.Logger) -> None:
    apply_log_config(CONFIGURATION)
    assert is_configured(configured)


@pytest.mark.parametrize("name", FILES)
def test_file(name: str, configured: logging.Logger, tmp_path: Path) -> None:
    (tmp_path / name).write_text(FILES[name], "utf-8")
    apply_log_config(str(tmp_path / name))
    assert is_configured(configured)


def test_other_loggers_go_on() -> None:
    other = logging.getLogger("log_config_test_other")
    apply_log_config(CONFIGURATION)
    assert not other.disabled


def _ini(*handler: str) -> str:
    lines = ("[loggers]", "keys=root", "[handlers]", "keys=h", "[formatters]", "keys=")
    return "\n".join((*lines, "[logger_root]", "handlers=h", "[handler_h]", *handler))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", "{", "Expecting property name"),
        ("a.json", "[]", "it must hold a dictionary"),
        ("a.json", '{"version": 2}', "Unsupported version"),
        ("a.toml", "=", "Invalid"),
        ("a.yaml", "a: [", "flow node"),
        ("a.ini", "[loggers]", "formatters"),
        ("a.ini", "x", "no section header"),
        ("a.json", '{"handlers": {"h": {"class": "no.Such"}}}', "Unable to configure handler 'h'"),
        ("a.ini", _ini("class=FileHandler", "args=('no-such-directory/a.log',)"), "No such file"),
        ("a.ini", _ini("class=FileHandler", "args=('a.log"), "unterminated string"),
        ("a.ini", _ini("class=StreamHandler", "args=(1/0,)"), "division by zero"),
        ("a.ini", _ini("class=no_such.Handler", "args=()"), "No module named 'no_such'"),
    ],
)
def test_wrong_file(name: str, text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    with pytest.raises(StartupError) as caught:
        apply_log_config(str(path))
    shown = str(caught.value)
    assert shown.startswith(f"log_config {path} is wrong: ")
    assert said in shown
    assert "\n" not in shown


@pytest.mark.parametrize("name", ["none.json", "none.ini"])
def test_missing_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with pytest.raises(StartupError) as caught:
        apply_log_config(str(path))
    assert str(caught.value) == f"cannot read log_config {path}: No such file or directory"


@pytest.mark.parametrize(
    ("names", "quietly", "warned"),
    [(("uvicorn.access",), False, 1), (("uvicorn", "esg"), False, 0), (("uvicorn",), True, 0)],
)
def test_a_configuration_of_uvicorns_loggers_is_noticed(
    names: tuple[str, ...], quietly: bool, warned: int, caplog: pytest.LogCaptureFixture
) -> None:
    ours = logging.getLogger("esg")
    handlers, propagate = ours.handlers[:], ours.propagate
    ours.handlers, ours.propagate = [caplog.handler], False  # else it would come twice
    try:
        configuration = {"loggers": {name: {"level": "INFO"} for name in names}}
        apply_log_config(configuration, quietly=quietly)
        said = [record.message for record in caplog.records if record.name == "esg"]
    finally:
        ours.handlers, ours.propagate = handlers, propagate
        for name in names:
            logging.getLogger(name).setLevel(logging.NOTSET)
    notice = "log_config names uvicorn's loggers; those of ESG are esg and esg.access"
    assert said == [notice] * warned


def test_none_of_uvicorns_leaves_logging_alone(configured: logging.Logger) -> None:
    handler = logging.NullHandler()
    configured.addHandler(handler)
    try:
        apply_log_config(keywords({"log_config": None})[0]["log_config"])
        assert configured.handlers == [handler]
        assert (configured.level, configured.propagate) == (logging.NOTSET, True)
    finally:
        configured.removeHandler(handler)
