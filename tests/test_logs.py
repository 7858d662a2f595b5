"""The loggers' handlers and format."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from esg import logs
from esg.line_handler import LineHandler
from esg.logs import (
    TRACE,
    LineFormatter,
    access_logger,
    configure,
    direct_handler,
    logger,
    reopen_files,
)


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    """Leave the loggers as they were."""
    before = [(g, g.handlers, g.level, g.propagate) for g in (logger, access_logger)]
    yield
    for target, handlers, level, propagate in before:
        target.handlers = handlers
        target.setLevel(level)
        target.propagate = propagate


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.fixture
def streams(monkeypatch: pytest.MonkeyPatch) -> tuple[Terminal, Terminal]:
    """Return terminals in the place of stderr and stdout."""
    found = (Terminal(), Terminal())
    monkeypatch.delenv("NO_COLOR", raising=False)
    own = SimpleNamespace(stderr=found[0], stdout=found[1])
    monkeypatch.setattr("esg.logs.sys", own)  # pytest itself swaps the real ones
    return found


def test_one_tree() -> None:
    assert (logger.name, access_logger.name) == ("esg", "esg.access")
    assert logging.getLevelName(TRACE) == "TRACE"


def test_server_to_stderr_and_responses_to_stdout(streams: tuple[Terminal, Terminal]) -> None:
    configure("info", access_log=True, use_colors=False)
    logger.info("served by %s", "us")
    access_logger.info("a response")
    assert streams[0].getvalue() == "INFO:     served by us\n"
    assert streams[1].getvalue() == "INFO:     a response\n"


def test_twice_is_as_good_as_once(streams: tuple[Terminal, Terminal]) -> None:
    for _ in range(2):
        configure("info", access_log=True, use_colors=False)
    logger.info("once")
    assert streams[0].getvalue() == "INFO:     once\n"


def test_nothing_goes_through_the_root(streams: tuple[Terminal, Terminal]) -> None:
    seen: list[str] = []

    class Root(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record.getMessage())

    root = Root()
    logging.getLogger().addHandler(root)
    try:
        configure("info", access_log=True, use_colors=False)
        logger.warning("ours alone")
        access_logger.info("this, too")
    finally:
        logging.getLogger().removeHandler(root)
    assert seen == []


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("trace", ["TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]),
        ("debug", ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]),
        ("info", ["INFO", "WARNING", "ERROR", "CRITICAL"]),
        ("warning", ["WARNING", "ERROR", "CRITICAL"]),
        ("error", ["ERROR", "CRITICAL"]),
        ("critical", ["CRITICAL"]),
    ],
)
def test_levels(level: str, shown: list[str], streams: tuple[Terminal, Terminal]) -> None:
    configure(level, access_log=True, use_colors=False)
    for number in (TRACE, 10, 20, 30, 40, 50):
        logger.log(number, "text")
    lines = streams[0].getvalue().splitlines()
    assert [line.partition(":")[0] for line in lines] == shown
    assert all(line.index("text") == 10 for line in lines)


def test_responses_are_logged_at_info(streams: tuple[Terminal, Terminal]) -> None:
    configure("info", access_log=True, use_colors=False)
    access_logger.info("shown")
    configure("warning", access_log=True, use_colors=False)
    access_logger.info("hidden by the level")
    configure("trace", access_log=False, use_colors=False)
    access_logger.info("hidden by its own switch")
    assert streams[1].getvalue() == "INFO:     shown\n"


@pytest.mark.parametrize(
    ("wish", "no_color", "coloured"),
    [
        (None, None, True),
        (None, "", True),  # set and empty does not count
        (None, "1", False),
        (True, "1", True),
        (False, None, False),
    ],
)
def test_colours_on_a_terminal(
    wish: bool | None,
    no_color: str | None,
    coloured: bool,
    streams: tuple[Terminal, Terminal],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if no_color is not None:
        monkeypatch.setenv("NO_COLOR", no_color)
    configure("info", access_log=True, use_colors=wish)
    logger.info("text")
    expected = "\033[32mINFO:\033[0m     text\n" if coloured else "INFO:     text\n"
    assert streams[0].getvalue() == expected


def test_no_colours_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = io.StringIO()
    monkeypatch.setattr("esg.logs.sys", SimpleNamespace(stderr=stream, stdout=stream))
    configure("info", access_log=True, use_colors=None)
    logger.info("text")
    assert stream.getvalue() == "INFO:     text\n"


def test_a_level_of_somebody_elses_has_no_colour() -> None:
    record = logging.LogRecord("esg", 33, "", 0, "text", None, None)
    assert LineFormatter(colours=True).format(record).startswith("\033[0mLevel 33:")


def test_exceptions_follow_their_line(streams: tuple[Terminal, Terminal]) -> None:
    configure("info", access_log=True, use_colors=False)
    try:
        raise ValueError("wrong")
    except ValueError:
        logs.logger.exception("it failed")
    lines = streams[0].getvalue().splitlines()
    assert lines[0] == "ERROR:    it failed"
    assert lines[1] == "    Traceback (most recent call last):"
    assert lines[-1] == "    ValueError: wrong"


@pytest.mark.parametrize("coloured", [False, True])
def test_what_a_terminal_would_obey_is_escaped(
    coloured: bool, streams: tuple[Terminal, Terminal]
) -> None:
    """Line ends stay, for a traceback has them, but no line can pass for the first of a record."""
    configure("info", access_log=True, use_colors=coloured)
    try:
        raise ValueError("quotes \x1b[2J a\x9b31m\r client\u2028\udc80 é\tand\nso on")
    except ValueError as error:
        logger.error("it failed: \x07", exc_info=error)
    text = streams[0].getvalue()
    begin = "\033[31mERROR:\033[0m    " if coloured else "ERROR:    "
    assert text.startswith(begin + "it failed: \\x07\n    Traceback")
    assert text.endswith(
        "    ValueError: quotes \\x1b[2J a\\x9b31m\\r client\\u2028\\udc80 é\tand\n    so on\n"
    )


def test_lines_may_name_the_process(streams: tuple[Terminal, Terminal]) -> None:
    configure(None, access_log=True, use_colors=False, names_process=True)
    logger.info("hello")
    access_logger.info("a response")
    assert streams[0].getvalue() == f"INFO:     [{os.getpid()}] hello\n"
    assert streams[1].getvalue() == "INFO:     a response\n"


class _Own(logging.Formatter):
    pass


def _own_factory(*args: Any, **keywords: Any) -> logging.LogRecord:
    return logging.LogRecord(*args, **keywords)


def _patched(*_: object) -> None:
    """See every record, as tools that report errors do."""


@pytest.fixture
def _to_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have what is logged go to a file, which has a descriptor."""
    with (tmp_path / "log").open("w", encoding="utf-8") as stream:
        monkeypatch.setattr("esg.logs.sys", SimpleNamespace(stderr=stream, stdout=stream))
        yield


def own_handler(bare: bool = False) -> LineHandler:
    """Let ESG give `esg.access` its handler, and return that.

    For tests to call: pytest gives handlers of its own to loggers that do not propagate.
    """
    configure("info", access_log=True, use_colors=True, bare_access_log=bare)
    (handler,) = access_logger.handlers
    assert isinstance(handler, LineHandler)
    return handler


@pytest.mark.usefixtures("_to_a_file")
@pytest.mark.parametrize("bare", [False, True])
def test_a_handler_that_needs_no_record(bare: bool) -> None:
    handler = own_handler(bare)
    assert direct_handler() is handler
    access_logger.info("text")
    handler.write_messages(["text"])
    first, second = Path(handler.stream.name).read_text("utf-8").splitlines()
    assert first == second == ("text" if bare else "\033[32mINFO:\033[0m     text")


@pytest.mark.usefixtures("_to_a_file")
@pytest.mark.parametrize(
    "look",
    [
        lambda handler: handler.setFormatter(_Own()),
        lambda handler: handler.setLevel(logging.WARNING),
        lambda handler: handler.addFilter(lambda _: True),
        lambda _: access_logger.addHandler(logging.NullHandler()),
        lambda _: access_logger.handlers.clear(),
    ],
    ids=["formatter", "level", "filter", "another handler", "no handler"],
)
def test_a_handler_that_somebody_has_changed(look: Callable[[LineHandler], None]) -> None:
    look(own_handler())
    assert direct_handler() is None


@pytest.mark.usefixtures("_to_a_file")
def test_others_who_look_at_records(monkeypatch: pytest.MonkeyPatch) -> None:
    handler = own_handler()
    for target, name, value in (
        (access_logger, "propagate", True),
        (access_logger, "filters", [lambda _: True]),
        (logging.Logger, "callHandlers", _patched),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(target, name, value)
            assert direct_handler() is None
    factory = logging.getLogRecordFactory()
    logging.setLogRecordFactory(_own_factory)
    try:
        assert direct_handler() is None
    finally:
        logging.setLogRecordFactory(factory)
    assert direct_handler() is handler


def test_a_stream_without_a_descriptor_needs_records(streams: tuple[Terminal, Terminal]) -> None:
    configure("info", access_log=True, use_colors=False, bare_access_log=True)
    assert direct_handler() is None


def test_files_are_opened_again(tmp_path: Path) -> None:
    """All of them, by their names, whatever has become of the files before."""
    path = tmp_path / "esg.log"
    handler = logging.FileHandler(path, encoding="utf-8")
    logger.handlers = [handler, logging.NullHandler()]
    logger.warning("first")
    path.rename(tmp_path / "esg.log.1")
    reopen_files()
    logger.warning("second")
    handler.close()
    assert (tmp_path / "esg.log.1").read_text("utf-8") == "first\n"
    assert path.read_text("utf-8") == "second\n"
