"""Files on their way to clients: opened, held to their size, sent by the kernel or read.

What ASGI's messages say of a file is checked here, for whether it may be sent depends on the file.
Where a message may stand is `rules.http_exchange`'s. Must not know connections or loops.
Source: ASGI extensions, "Path Send" and "Zero Copy Send".
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable, Mapping
from typing import Any, Final

from esg.asgi import Buffer
from esg.errors import FileFailure, MessageError
from esg.http import Piece

# Up to this many bytes are read and written with what goes before them: that costs less than a
# call of its own. Must be what `rules.response_head` may join.
SMALL: Final = 65536
# What the kernel is given at once, and what is read at once where it cannot send a file itself:
# so long, nobody else has his turn.
SENT_AT_ONCE: Final = 2**20
READ_AT_ONCE: Final = 2**18

# Without O_NONBLOCK, to open a FIFO would wait for its other end.
_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def open_file(message: Mapping[str, Any]) -> OpenedFile:
    """Open what a http.response.pathsend or http.response.zerocopysend is to send.

    A path that is not absolute is taken from the working directory: frameworks pass on what their
    users write.

    Raises:
        MessageError, TypeError: there is no such regular file, or it cannot be read; never an
            OSError, for that would say that the client is gone.
    """
    if message["type"] == "http.response.pathsend":
        path = _value(message, "path")
        if not isinstance(path, str):
            raise TypeError(f"path must be a str, got {type(path).__name__}")
        return _open_path(path)
    return _share(_value(message, "file"), _number(message, "offset"), _number(message, "count"))


def _value(message: Mapping[str, Any], key: str) -> object:
    if key not in message:
        raise MessageError(f"{message['type']} has no {key}")
    return message[key]


def _number(message: Mapping[str, Any], key: str) -> int | None:
    number = message.get(key)
    if number is not None and not isinstance(number, int):
        raise TypeError(f"{key} must be an int, got {type(number).__name__}")
    if number is not None and number < 0:
        raise MessageError(f"{key} must not be negative, got {number}")
    return number


def _open_path(path: str) -> OpenedFile:
    try:
        descriptor = os.open(path, _FLAGS)
    except (OSError, ValueError) as error:
        raise MessageError(f"cannot open {path!r}: {_reason(error)}") from error
    try:
        return OpenedFile(descriptor, 0, _size(descriptor, path), path, owned=True)
    except BaseException:
        os.close(descriptor)
        raise


def _share(file: object, offset: int | None, count: int | None) -> OpenedFile:
    """Open what the application has open, and keeps.

    Args:
        file: what has a descriptor, or is one.
        offset: where to begin; None for its position, which moves on.
        count: how many bytes, None for all; what is behind the end of the file does not count.
    """
    descriptor = _descriptor(file)
    size = _size(descriptor, repr(file))
    begin = min(size, _position(file, descriptor) if offset is None else offset)
    left = size - begin
    opened = OpenedFile(descriptor, begin, left if count is None else min(left, count), repr(file))
    if offset is None and opened:
        opened.moves = file
    return opened


def _descriptor(file: object) -> int:
    if isinstance(file, io.TextIOBase):
        raise TypeError("file must be opened in binary mode")
    if isinstance(file, int):
        return file
    fileno = getattr(file, "fileno", None)
    if fileno is None:
        raise TypeError(f"file must have a file descriptor, got {type(file).__name__}")
    try:
        return int(fileno())
    except (OSError, ValueError) as error:  # io.BytesIO, or closed
        raise MessageError(f"file has no open descriptor: {_reason(error)}") from error


def _size(descriptor: int, name: str) -> int:
    try:
        found = os.fstat(descriptor)
    except (OSError, OverflowError) as error:
        raise MessageError(f"cannot send {name}: {_reason(error)}") from error
    if not stat.S_ISREG(found.st_mode):
        raise MessageError(f"cannot send {name}: it is no regular file")
    return found.st_size


def _position(file: object, descriptor: int) -> int:
    """Return where the application would read on: a buffered file knows, its descriptor does not.

    Raises:
        MessageError: it does not know.
        TypeError: only an await could tell.
    """
    try:
        own = None if isinstance(file, int) else getattr(file, "tell", None)
        position: object = own() if own else os.lseek(descriptor, 0, os.SEEK_CUR)
    except (OSError, ValueError) as error:
        raise MessageError(f"the position of {file!r} cannot be told: {_reason(error)}") from error
    if isinstance(position, int):
        return position
    close = getattr(position, "close", None)
    if close is not None:  # a coroutine that nobody is going to await
        close()
    raise TypeError(f"the position of a {type(file).__name__} cannot be asked; give an offset")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


class OpenedFile:
    """Hold a part of an open file until it is known that it may be sent.

    Args:
        descriptor: of the file.
        offset: where the part begins.
        size: of the part.
        name: of the file, for people.
        owned: the descriptor is to be closed.

    Attributes:
        moves: the application's file, where its position is to move on behind the part.
    """

    __slots__ = ("_descriptor", "_name", "_offset", "_owned", "_size", "moves")

    def __init__(
        self, descriptor: int, offset: int, size: int, name: str, *, owned: bool = False
    ) -> None:
        self._descriptor = descriptor
        self._offset = offset
        self._size = size
        self._name = name
        self._owned = owned
        self.moves: Any = None

    def __len__(self) -> int:
        return self._size

    def take(self) -> bytes | FilePart:
        """Return the content if it is small, else what sends it.

        Raises:
            MessageError: it cannot be read.
        """
        try:
            content = self._small() if self._size <= SMALL else None
            self._move_on()
            return self._large() if content is None else content
        except (OSError, ValueError) as error:
            raise MessageError(f"cannot read {self._name}: {_reason(error)}") from error

    def _small(self) -> bytes:
        found = _read(self._descriptor, self._size, self._offset)
        while len(found) < self._size:
            more = _read(self._descriptor, self._size - len(found), self._offset + len(found))
            if not more:
                raise MessageError(f"cannot send {self._name}: it has become shorter")
            found += more
        return found

    def _large(self) -> FilePart:
        own = self._descriptor if self._owned else os.dup(self._descriptor)
        self._owned = False
        return FilePart(own, self._offset, self._size, self._name)

    def _move_on(self) -> None:
        if self.moves is None:
            return
        end = self._offset + self._size
        if hasattr(self.moves, "seek"):
            self.moves.seek(end)
        else:
            os.lseek(self._descriptor, end, os.SEEK_SET)

    def close(self) -> None:
        """Close it, unless it is the application's."""
        if self._owned:
            self._owned = False
            os.close(self._descriptor)


class FilePart:
    """Send a part of a file, as far as the socket takes it; `len()` is what is left.

    Only what was promised goes out: a file that grows is cut, one that shrinks is a FileFailure.

    Args:
        descriptor: of the file; ours to close.
        offset: where the part begins.
        size: of the part.
        name: of the file, for people.

    Attributes:
        by_reading: the kernel cannot send it, so it has to be read.
    """

    __slots__ = ("_descriptor", "_name", "_offset", "_size", "by_reading")

    def __init__(self, descriptor: int, offset: int, size: int, name: str) -> None:
        self._descriptor = descriptor
        self._offset = offset
        self._size = size
        self._name = name
        self.by_reading = not hasattr(os, "sendfile")

    def __len__(self) -> int:
        return self._size

    def send(self, target: int) -> int:
        """Have the kernel send what it takes at once; return how much that was.

        Where it was nothing, the socket takes nothing now, or the part is `by_reading` now.

        Args:
            target: the descriptor of a non-blocking socket.

        Raises:
            ConnectionError: the connection is lost.
            FileFailure: the file has become shorter.
        """
        count = min(self._size, SENT_AT_ONCE)
        try:
            sent = os.sendfile(target, self._descriptor, self._offset, count)
        except (BlockingIOError, InterruptedError):
            return 0
        except ConnectionError:
            raise
        except OSError:
            # It may be a file, or a socket, that sendfile() cannot do, or a fault of one of them:
            # reading and writing tell.
            self.by_reading = True
            return 0
        self._took(sent)
        return sent

    def read(self) -> bytes:
        """Take the next bytes out of it.

        Raises:
            FileFailure: there are none, or they cannot be read.
        """
        count = min(self._size, READ_AT_ONCE)
        try:
            found = _read(self._descriptor, count, self._offset)
        except OSError as error:
            raise FileFailure(f"cannot read {self._name}: {_reason(error)}") from error
        self._took(len(found))
        return found

    def write_by_reading(self, write: Callable[[bytes], Buffer | None]) -> list[Piece]:
        """Write the next bytes and return what is left: of them, and of the file.

        Args:
            write: returns what it could not write, None if that is nothing.

        Raises:
            FileFailure: they cannot be read.
        """
        rest = write(self.read())
        left: list[Piece] = [] if rest is None else [rest]
        if self:
            left.append(self)
        else:
            self.close()
        return left

    def _took(self, size: int) -> None:
        if not size:
            missing = f"{self._size} bytes are missing"
            raise FileFailure(f"{self._name} became shorter while it was sent: {missing}")
        self._offset += size
        self._size -= size

    def close(self) -> None:
        """Close it; once more does no harm."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        self.close()


def _read(descriptor: int, size: int, offset: int) -> bytes:
    """Read up to `size` bytes."""
    if hasattr(os, "pread"):
        return os.pread(descriptor, size, offset)
    os.lseek(descriptor, offset, os.SEEK_SET)  # Windows; a shared position moves
    return os.read(descriptor, size)
