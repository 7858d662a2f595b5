"""Files in the state table of an exchange: http.response.pathsend and http.response.zerocopysend."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from esg.asgi import Message
from esg.errors import ClientDisconnected, MessageError
from tests.rules.exchanges import FIVE, OK, RecordingWire, body, make, send, swept_twice
from tests.rules.twins import rule

http_exchange = rule("http_exchange")
PATH: Message = {"type": "http.response.pathsend", "path": "/f"}
ANNOUNCED = {**OK, "trailers": True}


def part(more: bool = False) -> Message:
    """Write a message with a part of a file."""
    return {"type": "http.response.zerocopysend", "file": object(), "more_body": more}


class Opened:
    """A part of a file, and what becomes of it."""

    def __init__(self, content: bytes = b"file!", unreadable: bool = False) -> None:
        self.content = content
        self.unreadable = unreadable
        self.taken = 0
        self.closed = 0

    def __len__(self) -> int:
        return len(self.content)

    def take(self) -> bytes:
        """Give the content."""
        if self.unreadable:
            raise MessageError("it cannot be read")
        self.taken += 1
        return self.content

    def close(self) -> None:
        """Count."""
        self.closed += 1


class Disk:
    """What opens files, and remembers what was asked for and what was opened."""

    def __init__(self, *files: Opened | Exception) -> None:
        self.files = list(files)
        self.asked: list[Any] = []

    def __call__(self, message: Any) -> Opened:
        self.asked.append(message)
        file = self.files[len(self.asked) - 1]
        if isinstance(file, Exception):
            raise file
        return file


def with_files(
    http_exchange: ModuleType, *files: Opened | Exception, method: str = "GET"
) -> tuple[Any, RecordingWire, Disk]:
    """Make an exchange that opens these files, one after the other."""
    exchange, wire = make(http_exchange, method)
    disk = exchange.open_file = Disk(*files)
    return exchange, wire, disk


def test_a_path_is_the_whole_content(http_exchange: ModuleType) -> None:
    file = Opened()
    exchange, _, disk = with_files(http_exchange, file)
    assert send(exchange, OK, PATH) == b"<200 5>file!|"
    assert disk.asked == [PATH]
    assert (file.taken, file.closed) == (1, 1)
    assert exchange.state == http_exchange.COMPLETE
    assert exchange.sent == 5
    exchange.send(body(b"late"))
    assert exchange.late_messages == 1


def test_a_path_keeps_to_a_declared_length(http_exchange: ModuleType) -> None:
    exchange, _, _ = with_files(http_exchange, Opened())
    assert send(exchange, FIVE, PATH) == b"<200>file!|"


def test_no_length_is_declared_once_the_head_is_out(http_exchange: ModuleType) -> None:
    exchange, _, _ = with_files(http_exchange, Opened())
    exchange.send(OK)
    assert swept_twice(exchange) == b"<200>"
    assert exchange.send(PATH) == [b"file!", b"|"]


def test_parts_are_mixed_with_bodies(http_exchange: ModuleType) -> None:
    files = Opened(b"one"), Opened(b"two")
    exchange, _, _ = with_files(http_exchange, *files)
    assert send(exchange, OK, body(b"a", more=True), part(more=True)) == b"<200>aone"
    assert exchange.state == http_exchange.STREAMING
    assert send(exchange, body(b"b", more=True), part()) == b"btwo|"
    assert exchange.state == http_exchange.COMPLETE
    assert exchange.sent == 8
    assert [(file.taken, file.closed) for file in files] == [(1, 1), (1, 1)]


def test_parts_keep_to_a_declared_length(http_exchange: ModuleType) -> None:
    exchange, _, _ = with_files(http_exchange, Opened(b"abc"), Opened(b"de"))
    assert send(exchange, FIVE, part(more=True), part()) == b"<200>abcde|"


@pytest.mark.parametrize("message", [PATH, part()])
def test_head_gets_no_content(http_exchange: ModuleType, message: Message) -> None:
    file = Opened()
    exchange, _, _ = with_files(http_exchange, file, method="HEAD")
    exchange.send(OK)
    exchange.send(message)
    assert (file.taken, file.closed) == (0, 1)
    assert exchange.state == http_exchange.COMPLETE
    assert exchange.sent == 0


def test_trailers_follow_a_file(http_exchange: ModuleType) -> None:
    exchange, wire, _ = with_files(http_exchange, Opened())
    wire.takes_trailers = True
    exchange.send(ANNOUNCED)
    assert exchange.send(PATH) == [b"<200 5>", b"file!"]
    with pytest.raises(MessageError, match="trailers are due"):
        exchange.send(part())
    trailers = {"type": "http.response.trailers", "headers": [(b"a", b"1")]}
    assert exchange.send(trailers) == [b"(a)|"]


@pytest.mark.parametrize("message", [PATH, part()])
def test_not_before_the_start(http_exchange: ModuleType, message: Message) -> None:
    exchange, _, disk = with_files(http_exchange)
    with pytest.raises(MessageError, match=r"before http\.response\.start"):
        exchange.send(message)
    assert disk.asked == []
    assert exchange.needs_error_response()


@pytest.mark.parametrize("before", [body(b"a", more=True), body(b"", more=True), part(more=True)])
def test_a_path_is_not_mixed(http_exchange: ModuleType, before: Message) -> None:
    exchange, _, disk = with_files(http_exchange, Opened(), Opened())
    exchange.send(OK)
    exchange.send(before)
    opened = len(disk.asked)
    with pytest.raises(MessageError, match="after other content"):
        exchange.send(PATH)
    assert len(disk.asked) == opened
    assert exchange.send(body(b"b")) == [b"b", b"|"]


def test_a_file_that_is_not_there_gives_way_to_another_start(http_exchange: ModuleType) -> None:
    exchange, _, _ = with_files(http_exchange, MessageError("no such file"), Opened())
    exchange.send(OK)
    with pytest.raises(MessageError, match="no such file"):
        exchange.send(PATH)
    assert swept_twice(exchange) == b"", "its start is held for as long as it may be replaced"
    assert exchange.needs_error_response()
    assert send(exchange, {**OK, "status": 404}, body(b"x")) == b"<404>x|"


def test_another_file_may_take_its_place(http_exchange: ModuleType) -> None:
    exchange, _, _ = with_files(http_exchange, Opened(unreadable=True), Opened())
    exchange.send(OK)
    with pytest.raises(MessageError, match="cannot be read"):
        exchange.send(PATH)
    assert send(exchange, PATH) == b"<200 5>file!|"


def test_a_message_without_sense_changes_nothing(http_exchange: ModuleType) -> None:
    exchange, _, _ = with_files(http_exchange, TypeError("a path that is none"), Opened())
    exchange.send(OK)
    with pytest.raises(TypeError):
        exchange.send(PATH)
    with pytest.raises(MessageError, match="twice"):
        exchange.send(OK)
    assert send(exchange, PATH) == b"<200 5>file!|"


def test_a_file_that_is_not_there_in_the_middle(http_exchange: ModuleType) -> None:
    exchange, _, _ = with_files(http_exchange, MessageError("no such file"))
    exchange.send(OK)
    exchange.send(body(b"a", more=True))
    with pytest.raises(MessageError):
        exchange.send(part())
    assert not exchange.needs_error_response()
    assert exchange.send(body(b"b")) == [b"b", b"|"]


@pytest.mark.parametrize(("content", "words"), [(b"four", "1 bytes less"), (b"sixsix", "more")])
def test_a_file_of_another_size_than_declared(
    http_exchange: ModuleType, content: bytes, words: str
) -> None:
    file = Opened(content)
    exchange, _, _ = with_files(http_exchange, file)
    exchange.send(FIVE)
    with pytest.raises(MessageError, match=words):
        exchange.send(PATH)
    assert (file.taken, file.closed) == (0, 1)
    assert send(exchange, OK, body(b"x")) == b"<200>x|"


def test_too_much_in_the_middle_ends_the_exchange(http_exchange: ModuleType) -> None:
    exchange, _, _ = with_files(http_exchange, Opened(b"abc"), Opened(b"def"))
    exchange.send(FIVE)
    exchange.send(part(more=True))
    with pytest.raises(MessageError, match="more than"):
        exchange.send(part())
    assert exchange.state == http_exchange.ABORTED


def test_nothing_is_opened_for_nobody(http_exchange: ModuleType) -> None:
    exchange, _, disk = with_files(http_exchange)
    exchange.send(OK)
    exchange.disconnect()
    with pytest.raises(ClientDisconnected):
        exchange.send(PATH)
    assert disk.asked == []


@pytest.mark.parametrize("message", [PATH, part()])
def test_unknown_where_no_files_are_sent(http_exchange: ModuleType, message: Message) -> None:
    exchange, _ = make(http_exchange)
    exchange.send(OK)
    with pytest.raises(MessageError, match="unknown message type"):
        exchange.send(message)
