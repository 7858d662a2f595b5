"""Files that are opened, measured, and sent or read in pieces."""

from __future__ import annotations

import errno
import gc
import io
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from esg.errors import FileFailure, MessageError
from esg.file_part import READ_AT_ONCE, SENT_AT_ONCE, SMALL, FilePart, open_file
from esg.rules.response_head import JOIN_LIMIT

TEXT = bytes(range(256)) * 16
LARGE = SMALL + 10


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a file with TEXT in it."""
    path = tmp_path / "file"
    path.write_bytes(TEXT)
    return path


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Return the path of a file that is not small."""
    path = tmp_path / "large"
    path.write_bytes(b"x" * LARGE)
    return path


def by_path(path: object) -> Any:
    return open_file({"type": "http.response.pathsend", "path": path})


def shared(file: object, **keys: Any) -> Any:
    return open_file({"type": "http.response.zerocopysend", "file": file, **keys})


def descriptors() -> int:
    return len(os.listdir("/dev/fd"))  # noqa: PTH208 - Path.iterdir would open one more


def content(opened: Any) -> bytes:
    """Return the content of what was opened, and close it."""
    taken = opened.take()
    opened.close()
    if isinstance(taken, bytes):
        return taken
    found = bytearray()
    while len(taken):
        found += taken.read()
    taken.close()
    return bytes(found)


def test_small_content_may_be_joined() -> None:
    """Else the rule would join a file with what is around it."""
    assert SMALL >= JOIN_LIMIT


# --- Paths ------------------------------------------------------------------------------


def test_path(path: Path) -> None:
    before = descriptors()
    opened = by_path(str(path))
    assert len(opened) == len(TEXT)
    assert content(opened) == TEXT
    assert descriptors() == before


def test_large_file_is_not_read(large: Path) -> None:
    before = descriptors()
    opened = by_path(str(large))
    part = opened.take()
    opened.close()
    assert isinstance(part, FilePart)
    assert len(part) == LARGE
    assert descriptors() == before + 1
    part.close()
    part.close()
    assert descriptors() == before


def test_part_that_nobody_wants_is_closed(large: Path) -> None:
    before = descriptors()
    opened = by_path(str(large))
    opened.close()
    opened.close()
    assert descriptors() == before


def test_empty_file(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert content(by_path(str(tmp_path / "empty"))) == b""


def test_path_relative_to_the_working_directory(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    assert content(by_path("file")) == TEXT


def _fifo(place: Path) -> Path:
    os.mkfifo(place / "fifo")  # to open it for reading alone would wait
    return place / "fifo"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(lambda place: place / "none", "No such file", id="none"),
        pytest.param(lambda place: place, "no regular file", id="directory"),
        pytest.param(lambda _: "/dev/zero", "no regular file", id="device"),
        pytest.param(_fifo, "no regular file", id="fifo"),
        pytest.param(lambda place: f"{place}/file\0", "null", id="NUL"),
        pytest.param(lambda place: f"{place}/file/below", "Not a directory", id="below a file"),
    ],
)
def test_what_is_no_file_is_never_an_os_error(path: Path, make: Any, words: str) -> None:
    """Frameworks take an OSError out of send() for a client that has left."""
    before = descriptors()
    with pytest.raises(MessageError, match=words) as raised:
        by_path(str(make(path.parent)))
    assert not isinstance(raised.value, OSError)
    assert descriptors() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable for root")
def test_unreadable_file(path: Path) -> None:
    path.chmod(0)
    with pytest.raises(MessageError, match="Permission denied"):
        by_path(str(path))


@pytest.mark.parametrize("value", [None, b"/etc/hostname", 5, Path("/")])
def test_path_of_another_type(value: object) -> None:
    with pytest.raises(TypeError, match="path must be a str"):
        by_path(value)


def test_keys_that_are_missing() -> None:
    with pytest.raises(MessageError, match=r"http\.response\.pathsend has no path"):
        open_file({"type": "http.response.pathsend"})
    with pytest.raises(MessageError, match=r"http\.response\.zerocopysend has no file"):
        open_file({"type": "http.response.zerocopysend"})


# --- Files of the application -----------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ({"offset": 0}, TEXT),
        ({"offset": 10, "count": 5}, TEXT[10:15]),
        ({"offset": 4000}, TEXT[4000:]),
        ({"offset": 4000, "count": 1000}, TEXT[4000:]),
        ({"offset": 5000}, b""),
        ({"offset": 10, "count": 0}, b""),
        ({"offset": None, "count": 7}, TEXT[:7]),
        ({"count": None}, TEXT),
    ],
)
def test_ranges(path: Path, keys: dict[str, Any], wanted: bytes) -> None:
    with path.open("rb") as file:
        opened = shared(file, **keys)
        assert len(opened) == len(wanted)
        assert content(opened) == wanted
        assert not file.closed


def test_an_offset_leaves_the_position_alone(path: Path) -> None:
    with path.open("rb") as file:
        file.read(3)
        assert content(shared(file, offset=10, count=5)) == TEXT[10:15]
        assert file.read(2) == TEXT[3:5]


def test_without_an_offset_the_position_moves_on(path: Path) -> None:
    """A buffered file has read further ahead than the application: its own word counts."""
    with path.open("rb") as file:
        assert file.read(3) == TEXT[:3]
        assert content(shared(file, count=5)) == TEXT[3:8]
        assert file.read(2) == TEXT[8:10]
        assert content(shared(file)) == TEXT[10:]
        assert file.read() == b""


@pytest.mark.parametrize("wrap", [lambda raw: raw, lambda raw: raw.fileno()], ids=["raw", "int"])
def test_position_of_a_descriptor(path: Path, wrap: Any) -> None:
    with path.open("rb", buffering=0) as raw:
        raw.seek(100)
        assert content(shared(wrap(raw), count=5)) == TEXT[100:105]
        assert raw.tell() == 105


def test_position_of_a_large_part(large: Path) -> None:
    with large.open("rb") as file:
        opened = shared(file)
        part = opened.take()
        assert file.tell() == LARGE
        part.close()
        assert file.seek(0) == 0


def test_refused_part_moves_nothing(path: Path) -> None:
    with path.open("rb") as file:
        shared(file).close()
        assert file.tell() == 0
        assert not file.closed


def test_part_outlives_the_application_s_descriptor(large: Path) -> None:
    before = descriptors()
    with large.open("rb") as file:
        part = shared(file, offset=LARGE - 3).take()
        whole = shared(file, offset=0).take()
    assert part == b"xxx"
    assert len(whole.read()) == LARGE
    whole.close()
    assert descriptors() == before


def test_temporary_file() -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(TEXT)
        file.flush()
        file.seek(1)
        assert content(shared(file)) == TEXT[1:]


class _Bare:
    """Something with a descriptor and nothing else."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        return self._descriptor


class _Asynchronous(_Bare):
    """A file whose position only an await tells, as anyio's and aiofiles' are."""

    async def tell(self) -> int:
        raise AssertionError


def test_bare_descriptor_object(path: Path) -> None:
    with path.open("rb", buffering=0) as raw:
        assert content(shared(_Bare(raw.fileno()), count=4)) == TEXT[:4]
        assert raw.tell() == 4


def test_asynchronous_file_needs_an_offset(path: Path) -> None:
    with path.open("rb", buffering=0) as raw:
        file = _Asynchronous(raw.fileno())
        with pytest.raises(TypeError, match="give an offset"):
            shared(file)
        assert content(shared(file, offset=0)) == TEXT


class Lost:
    """A file that has a descriptor, and loses its position."""

    def __init__(self, path: Path, error: Exception, tells: bool) -> None:
        self._file = path.open("rb")
        self._error = error
        self._tells = tells

    def fileno(self) -> int:
        return self._file.fileno()

    def tell(self) -> int:
        if self._tells:
            return 0
        raise self._error

    def seek(self, _offset: int) -> None:
        raise self._error


@pytest.mark.parametrize("error", [OSError("lost"), ValueError("lost")], ids=["os", "value"])
@pytest.mark.parametrize("tells", [False, True], ids=["tell", "seek"])
def test_fault_of_a_position_is_no_os_error(path: Path, error: Exception, tells: bool) -> None:
    """An OSError would say that the client is gone, and end its connection."""
    with pytest.raises(MessageError, match="lost"):
        content(shared(Lost(path, error, tells)))


@pytest.mark.parametrize("offset", [len(TEXT), 2**63, 2**70])
def test_behind_the_end_there_is_nothing(path: Path, offset: int) -> None:
    with path.open("rb") as file:
        assert content(shared(file, offset=offset)) == b""


def test_a_position_behind_the_end_stays(path: Path) -> None:
    with path.open("rb") as file:
        file.seek(2 * len(TEXT))
        assert content(shared(file)) == b""
        assert file.tell() == 2 * len(TEXT)


def test_descriptor_larger_than_any() -> None:
    with pytest.raises(MessageError, match=f"cannot send {2**70}: "):
        shared(2**70)


def test_text_file_is_refused(path: Path) -> None:
    with path.open("r", encoding="latin-1") as file, pytest.raises(TypeError, match="binary"):
        shared(file)


def test_what_has_no_descriptor(path: Path) -> None:
    with pytest.raises(TypeError, match="descriptor"):
        shared(object())
    with pytest.raises(MessageError, match="no open descriptor"):
        shared(io.BytesIO(b"abc"))
    with path.open("rb") as file:
        pass
    with pytest.raises(MessageError, match="no open descriptor"):
        shared(file)
    with pytest.raises(MessageError, match="Bad file descriptor"):
        shared(-1)


def test_pipe_is_refused() -> None:
    reading, writing = os.pipe()
    with (
        os.fdopen(reading, "rb") as file,
        os.fdopen(writing, "wb"),
        pytest.raises(MessageError, match="no regular file"),
    ):
        shared(file)


@pytest.mark.parametrize("key", ["offset", "count"])
def test_numbers(path: Path, key: str) -> None:
    with path.open("rb") as file:
        with pytest.raises(TypeError, match=f"{key} must be an int"):
            shared(file, **{key: "1"})
        with pytest.raises(MessageError, match=f"{key} must not be negative"):
            shared(file, **{key: -1})


def test_file_that_becomes_shorter_before_it_is_read(path: Path) -> None:
    opened = by_path(str(path))
    os.truncate(path, 100)
    with pytest.raises(MessageError, match="shorter"):
        opened.take()
    opened.close()


def test_fault_of_reading_is_no_os_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: int) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    opened = by_path(str(path))
    monkeypatch.setattr(os, "pread", fail)
    with pytest.raises(MessageError, match="Input/output error"):
        opened.take()
    opened.close()


def test_short_reads_are_continued(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda fd, size, offset: pread(fd, min(size, 1000), offset))
    assert content(by_path(str(path))) == TEXT


def test_without_pread(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows."""
    monkeypatch.delattr(os, "pread")
    assert content(by_path(str(path))) == TEXT


# --- Parts on their way -----------------------------------------------------------------


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Return two connected sockets, the first of them non-blocking."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        yield ours, theirs


def part_of(path: Path, offset: int, size: int) -> FilePart:
    return FilePart(os.open(path, os.O_RDONLY), offset, size, str(path))


def test_kernel_sends(large: Path, ends: tuple[socket.socket, socket.socket]) -> None:
    part = part_of(large, LARGE - 5, 5)
    assert part.send(ends[0].fileno()) == 5
    assert len(part) == 0
    assert ends[1].recv(10) == b"xxxxx"
    part.close()


def test_kernel_takes_no_more(tmp_path: Path, ends: tuple[socket.socket, socket.socket]) -> None:
    path = tmp_path / "sparse"
    path.touch()
    os.truncate(path, 2 * SENT_AT_ONCE)
    part = part_of(path, 0, 2 * SENT_AT_ONCE)
    sent = 0
    while size := part.send(ends[0].fileno()):
        sent += size
    assert 0 < sent < 2 * SENT_AT_ONCE
    assert len(part) == 2 * SENT_AT_ONCE - sent
    assert not part.by_reading
    part.close()


def test_lost_connection_is_the_connection_s_fault(
    large: Path, ends: tuple[socket.socket, socket.socket]
) -> None:
    part = part_of(large, 0, 5)
    ends[1].close()
    with pytest.raises(ConnectionError):
        part.send(ends[0].fileno())
    part.close()


def test_file_that_becomes_shorter(large: Path, ends: tuple[socket.socket, socket.socket]) -> None:
    part = part_of(large, LARGE - 5, 10)
    assert part.send(ends[0].fileno()) == 5
    with pytest.raises(FileFailure, match=r"became shorter.*5 bytes are missing"):
        part.send(ends[0].fileno())
    with pytest.raises(FileFailure, match="shorter"):
        part.read()
    part.close()


def test_file_that_grows(large: Path, ends: tuple[socket.socket, socket.socket]) -> None:
    part = part_of(large, LARGE - 5, 5)
    with large.open("ab") as file:
        file.write(b"y" * 100)
    assert part.send(ends[0].fileno()) == 5
    assert ends[1].recv(100) == b"xxxxx"
    part.close()


def test_what_the_kernel_cannot_send_is_read(
    large: Path, ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> int:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "sendfile", refuse)
    part = part_of(large, 0, 5)
    assert part.send(ends[0].fileno()) == 0
    assert part.by_reading
    assert part.read() == b"xxxxx"
    part.close()


def test_without_sendfile(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sendfile")
    part = part_of(large, 0, 5)
    assert part.by_reading
    part.close()


def test_reading_fault(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: int) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "pread", fail)
    part = part_of(large, 0, 5)
    with pytest.raises(FileFailure, match="Input/output error"):
        part.read()
    part.close()


def test_writing_by_reading(tmp_path: Path) -> None:
    """One block at a time, so that memory stays bounded; its rest goes before the file's."""
    path = tmp_path / "blocks"
    path.write_bytes(b"a" * READ_AT_ONCE + b"bc")
    part = part_of(path, 0, READ_AT_ONCE + 2)
    assert part.write_by_reading(lambda data: data[3:]) == [b"a" * (READ_AT_ONCE - 3), part]
    assert part.write_by_reading(lambda data: data[1:]) == [b"c"]
    assert len(part) == 0


def test_writing_all_by_reading(large: Path) -> None:
    before = descriptors()
    part = part_of(large, 0, 3)
    written: list[bytes] = []
    assert part.write_by_reading(written.append) == []
    assert written == [b"xxx"]
    assert descriptors() == before


def test_part_that_is_dropped_is_closed(large: Path) -> None:
    before = descriptors()
    part = part_of(large, 0, 3)
    del part
    gc.collect()  # PyPy does so when it pleases
    assert descriptors() == before
