"""docs/from-*.md: each has every option of the installed server, and names ESG's own as they are."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields

import pytest
import uvicorn
from gunicorn.config import KNOWN_SETTINGS
from hypercorn.__main__ import main as hypercorn_command
from hypercorn.config import Config as HypercornConfig
from uvicorn.main import main as uvicorn_command

from esg.config import Config
from esg.options import flag_name, option_of
from tests.server import REPOSITORY

PEERS = ("uvicorn", "gunicorn", "hypercorn")
OURS = {flag_name(f.name) for f in fields(Config) if option_of(f)}
# Options of the command `esg` that are no settings.
COMMANDS = {"--config", "--check-config", "--print-config", "--version", "--help"}
# What hypercorn's configuration has besides settings.
NO_SETTINGS = {"log"}


def rows(peer: str) -> Iterator[tuple[str, str]]:
    """Give the first two cells of every row of a page's tables."""
    text = (REPOSITORY / "docs" / f"from-{peer}.md").read_text("utf-8")
    for line in text.splitlines():
        if line.startswith("|"):
            theirs, ours, *_ = line.strip("|").split("|")
            yield theirs, ours


def named(peer: str) -> list[str]:
    return [name for theirs, _ in rows(peer) for name in re.findall(r"`([^`]+)`", theirs)]


def test_uvicorn() -> None:
    options = {option for parameter in uvicorn_command.params for option in parameter.opts}
    options = {option for option in options if option.startswith("--")} | {"--help"}
    missing = options - set(named("uvicorn"))
    assert missing == set()
    # Those that no rule spells as the option.
    keywords = {name for name in inspect.signature(uvicorn.run).parameters if name != "app"}
    spelled = {flag_name(keyword) for keyword in keywords}
    assert keywords - {k for k in keywords if flag_name(k) in options} <= set(named("uvicorn"))
    assert spelled & options


def test_gunicorn() -> None:
    assert {setting.name for setting in KNOWN_SETTINGS} == set(named("gunicorn"))


def test_hypercorn(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        hypercorn_command(["--help"])
    options = set(re.findall(r"^  .*?(--[a-z-]+)", capsys.readouterr().out, re.MULTILINE))
    assert len(options) > 20
    assert options - {"--help"} <= set(named("hypercorn"))
    settings = {
        name
        for name in dir(HypercornConfig)
        if not name.startswith("_") and not callable(getattr(HypercornConfig, name))
    }
    missing = (settings - NO_SETTINGS) - set(named("hypercorn"))
    assert missing == set()


@pytest.mark.parametrize("peer", PEERS)
def test_counterparts_are_options_of_esg(peer: str) -> None:
    cells = [ours for _, ours in rows(peer)]
    assert len(cells) > 20
    options = {option for cell in cells for option in re.findall(r"`(--[a-z0-9-]+)", cell)}
    assert options <= OURS | COMMANDS
