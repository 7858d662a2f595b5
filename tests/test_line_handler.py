"""Log lines and their readers: slow ones, halted ones, those that have gone."""

from __future__ import annotations

import io
import logging
import os
import select
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from esg import line_handler
from esg.line_handler import LineHandler
from tests.conftest import Serve
from tests.rows import Row

BOUND = 60.0  # seconds, for whatever should take none
LINE = "x" * 999


@contextmanager
def pipe() -> Iterator[tuple[IO[bytes], LineHandler]]:
    """Give the reading end of a pipe, and a handler that writes to the other."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as reader, os.fdopen(writing, "w", encoding="utf-8") as writer:
        handler = LineHandler(writer)
        yield reader, handler
        handler.close()


def log(handler: LineHandler, message: str) -> None:
    handler.handle(logging.LogRecord("test", logging.INFO, __file__, 1, message, None, None))


def test_a_line_is_written_at_once() -> None:
    with pipe() as (reader, handler):
        log(handler, "é")
        assert reader.readline() == "é\n".encode()
        assert handler._thread is None


def test_nobody_waits_for_a_reader() -> None:
    with pipe() as (reader, handler):
        for number in range(500):
            log(handler, f"{number} {LINE}")
        for number in range(500):
            assert reader.readline().startswith(b"%d x" % number)
        log(handler, "then")
        assert reader.readline() == b"then\n"


def test_a_long_line_does_not_wait_either() -> None:
    with pipe() as (reader, handler):
        log(handler, "x" * 500_000)
        log(handler, "behind")
        assert reader.readline() == b"x" * 500_000 + b"\n"
        assert reader.readline() == b"behind\n"


def test_a_file_takes_a_line_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In parts, the lines of several processes would mix."""
    written: list[int] = []

    def write(number: int, data: bytes) -> int:
        written.append(len(data))
        return os_write(number, data)

    os_write = os.write
    monkeypatch.setattr(os, "write", write)
    with (tmp_path / "log").open("w", encoding="utf-8") as stream:
        log(LineHandler(stream), "x" * 99_999)
    assert written == [100_000]


def test_lines_that_are_written_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe takes whole lines at a time: those of several processes do not mix."""
    written: list[bytes] = []
    os_write = os.write

    def write(number: int, data: bytes) -> int:
        written.append(data)
        return os_write(number, data)

    monkeypatch.setattr(os, "write", write)
    with pipe() as (reader, handler):
        handler.prefix = "INFO: "
        handler.write_messages([LINE] * 10)
        assert [reader.readline() for _ in range(10)] == [f"INFO: {LINE}\n".encode()] * 10
    assert all(data.endswith(b"\n") and len(data) <= select.PIPE_BUF for data in written)


def test_a_stream_that_somebody_has_closed(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever logs sees nothing of it, whether by a record or without one."""
    with pipe() as (_, handler):
        handler.stream.close()
        log(handler, "a record")
        handler.write_messages(["none"])
    assert capsys.readouterr().err.count("ValueError: I/O operation on closed file") == 2


def test_lines_that_are_no_records_and_a_reader_that_goes() -> None:
    with pipe() as (reader, handler):
        reader.close()
        handler.write_messages(["to nobody"])
        handler.write_messages(["to nobody either"])
        assert not handler._size


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_handler, "_MOST_BEHIND", 100_000)
    with pipe() as (reader, handler):
        for number in range(500):
            log(handler, f"{number} {LINE}")
        assert handler._size <= 100_000
        read = 0
        while (line := reader.readline()).endswith(b"x\n"):
            read += 1
        assert 100 < read < 300
        assert line == b"%d lines of the log were dropped: nobody read them\n" % (500 - read)


def test_the_end_waits_for_a_reader_that_comes() -> None:
    with pipe() as (reader, handler):
        for _ in range(200):
            log(handler, LINE)
        found: list[bytes] = []
        thread = threading.Thread(target=lambda: found.append(reader.read(200_000)))
        thread.start()
        handler.close()
        thread.join(BOUND)
        assert found[0].count(b"\n") == 200


def test_the_end_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_handler, "_LAST_CHANCE", 0.05)
    with pipe() as (reader, handler):
        for _ in range(200):
            log(handler, LINE)
        handler.close()
        assert handler._size > 0
        reader.read(200_000)


def test_what_others_have_written_comes_first() -> None:
    with pipe() as (reader, handler):
        handler.stream.write("printed\n")
        log(handler, "logged")
        assert [reader.readline(), reader.readline()] == [b"printed\n", b"logged\n"]


def test_a_reader_that_goes_while_lines_wait() -> None:
    with pipe() as (reader, handler):
        for _ in range(200):
            log(handler, LINE)
        reader.close()
        log(handler, "to nobody")
        handler.close()
        assert handler._size == 0


def test_a_stream_without_a_descriptor() -> None:
    stream = io.StringIO()
    handler = LineHandler(stream)
    log(handler, "hello")
    assert stream.getvalue() == "hello\n"
    handler.close()


# With a pipe of the test's own, which nobody reads, as standard output.
ELSEWHERE = """
import os, sys
os.dup2(int(sys.argv[1]), 1)
os.execv(sys.executable, [sys.executable, "-W", "error", "-m", "esg", *sys.argv[2:]])
"""


def test_a_server_whose_log_nobody_reads(serve: Serve, row: Row) -> None:
    """More lines than a pipe takes: requests are answered, and the server stops."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as reader:
        try:
            command = (sys.executable, "-c", ELSEWHERE, str(writing))
            server = serve(row=row, app="examples.hello:app", command=command, pass_fds=[writing])
        finally:
            os.close(writing)
        target = "/" + "x" * 1000
        with server.connect() as client:
            for _ in range(200):
                assert client.get(target).status == 200
        for _ in range(150):
            assert reader.readline().endswith(b'HTTP/1.1" 200\n')
        assert server.stop() == 0
