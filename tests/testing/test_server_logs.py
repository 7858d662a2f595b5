"""What a server in a thread logs, apart from what others log."""

from __future__ import annotations

import logging
import threading

import pytest

from esg.logs import access_logger, logger
from esg.testing.server_logs import ServerLogs


@pytest.fixture(autouse=True)
def restored_level() -> None:
    assert logger.level == logging.NOTSET


def own() -> ServerLogs:
    return ServerLogs(threading.current_thread())


def test_keeps_what_both_loggers_are_told() -> None:
    logs = own()
    with logs.attached(logging.INFO):
        logger.info("first")
        access_logger.info("%s", "second")
        logger.debug("too detailed")
    logger.warning("too late")
    assert list(logs) == ["INFO: first", "INFO: second"]
    assert len(logs) == 2
    assert logs.text == "INFO: first\nINFO: second"


def test_keeps_tracebacks() -> None:
    logs = own()
    with logs.attached(logging.INFO):
        try:
            raise LookupError("nothing there")
        except LookupError:
            logger.exception("failed")
    assert logs.text.startswith("ERROR: failed\nTraceback")
    assert logs.text.endswith("LookupError: nothing there")


def test_leaves_out_what_others_log() -> None:
    logs = own()
    with logs.attached(logging.INFO):
        other = threading.Thread(target=logger.info, args=("elsewhere",))
        other.start()
        other.join()
    assert not list(logs)


def test_the_level_is_the_lowest_that_anybody_needs() -> None:
    first, second = own(), own()
    first_attached, second_attached = first.attached(logging.INFO), second.attached(logging.DEBUG)
    first_attached.__enter__()
    second_attached.__enter__()
    assert logger.level == logging.DEBUG
    first_attached.__exit__(None, None, None)
    assert logger.level == logging.DEBUG
    second_attached.__exit__(None, None, None)
    assert logger.level == logging.NOTSET


def test_wait_for_what_is_there() -> None:
    logs = own()
    with logs.attached(logging.INFO):
        logger.info("one")
        logger.info("two")
    assert logs.wait_for("t.o$") == "INFO: two"


def test_wait_for_what_is_to_come() -> None:
    waited = threading.Event()

    def log() -> None:
        with logs.attached(logging.INFO):
            logger.info("nothing yet")
            waited.wait(10)
            logger.info("here it is")

    thread = threading.Thread(target=log)
    logs = ServerLogs(thread)
    thread.start()
    logs.wait_for("nothing yet")
    waited.set()
    assert logs.wait_for("here") == "INFO: here it is"
    thread.join()


def test_wait_for_what_never_comes() -> None:
    logs = own()
    with pytest.raises(AssertionError, match=r"not logged in 0 s: 'x', but\n\(nothing\)"):
        logs.wait_for("x", timeout=0)
    with logs.attached(logging.INFO):
        logger.info("something else")
    with pytest.raises(AssertionError, match="but\nINFO: something else"):
        logs.wait_for("x", timeout=0)
