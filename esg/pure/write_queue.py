"""Bytes on their way to one client, in the order in which they were given.

What the kernel takes at once never comes here to rest. The rest is written by a task of its own,
so that an application which gives up waiting for its send() leaves no half message behind, and
sends of several tasks cannot overtake each other.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup

from esg.errors import FileFailure
from esg.file_part import FilePart
from esg.http import Piece
from esg.logs import logger
from esg.rules import deadlines

if TYPE_CHECKING:
    from esg.pure.http_connection import HttpConnection


def _kept(piece: Piece) -> Piece:
    """Return a piece that its owner cannot change while it waits to be written."""
    if isinstance(piece, FilePart):
        return piece
    mutable = piece.obj if isinstance(piece, memoryview) else piece
    return piece if isinstance(mutable, bytes) else bytes(piece)


class WriteQueue:
    """Write for one connection.

    Args:
        connection: whose transport and timers to use, and which to drop when it is lost.
        tasks: where the writing task lives.
    """

    __slots__ = ("_connection", "_senders", "_tasks", "_waiting")

    def __init__(self, connection: HttpConnection, tasks: TaskGroup) -> None:
        self._connection = connection
        self._tasks = tasks
        # Lists: they are short, and an empty deque takes more memory than all else of an idle one.
        # Pieces, and behind each write's last one the event that tells its writer.
        self._waiting: list[Piece | anyio.Event] = []
        self._senders: list[anyio.Event] = []  # in the order of their send() calls

    async def write(self, pieces: Sequence[Piece]) -> None:
        """Write `pieces`, waiting as long as the client is slow.

        A cancelled wait changes nothing: the pieces still go out.

        Raises:
            OSError: the connection is lost.
        """
        await self.wait(self.put(pieces))

    def put(self, pieces: Sequence[Piece]) -> anyio.Event | None:
        """Give `pieces` and return what to `wait` for, None if the kernel has them already.

        Raises:
            OSError: the connection is lost.
        """
        if self._connection.lost:
            raise ConnectionAbortedError("the connection is closed")
        if not self._waiting:
            pieces = self._write_now(pieces)
            if not pieces:
                return None
            self._tasks.start_soon(self._write_waiting)
        written = anyio.Event()
        self._waiting += map(_kept, pieces)
        self._waiting.append(written)
        return written

    async def wait(self, written: anyio.Event | None) -> None:
        """Wait for what `put` returned.

        Raises:
            OSError: the connection is lost.
        """
        if written is not None:
            await written.wait()
            if self._connection.lost:
                raise ConnectionAbortedError("the connection is closed")

    async def turn(self) -> bool:
        """Wait until every send() that was called earlier has been taken and written.

        So messages are taken in the order of their calls, one at a time, and one that is cancelled
        here leaves nothing behind. The caller gives its message without another await, and then
        gives the turn back.

        Returns:
            Whether there was anything to wait for: what `end_turn` is to be told.
        """
        if not self._waiting and not self._senders:
            return False
        mine = anyio.Event()
        self._senders.append(mine)
        try:
            await mine.wait()
        except BaseException:
            self._senders.remove(mine)
            self._next_turn()
            raise
        return True

    def end_turn(self, waited: bool) -> None:
        """Give the turn back that `turn` gave."""
        if waited:
            self._senders.pop(0)
            self._next_turn()

    def _next_turn(self) -> None:
        if self._senders and (not self._waiting or self._connection.lost):
            self._senders[0].set()

    async def drained(self) -> None:
        """Wait until what has been given is written, or the connection is lost."""
        while self._waiting and not self._connection.lost:
            written = anyio.Event()
            self._waiting.append(written)
            await written.wait()

    def _write_now(self, pieces: Sequence[Piece]) -> Sequence[Piece]:
        """Write what the kernel takes and return the rest."""
        try:
            for index, piece in enumerate(pieces):
                rest = self._write_piece(piece)
                if rest:
                    return [*rest, *pieces[index + 1 :]]
        except FileFailure as error:
            self._cut_off(error)
            raise ConnectionAbortedError("the connection is closed") from error
        return ()

    def _write_piece(self, piece: Piece) -> Sequence[Piece]:
        """Write what the kernel takes of a piece and return what is left of it."""
        transport = self._connection.transport
        if isinstance(piece, FilePart):
            return transport.write_file_nowait(piece)
        rest = transport.write_nowait(piece)
        return () if rest is None else (rest,)

    def _cut_off(self, error: FileFailure) -> None:
        """Let the client see that the content is not whole: too little must not look like all."""
        logger.error("A response is cut off: %s", error)
        self._connection.drop(abort=True)

    async def _write_waiting(self) -> None:
        connection = self._connection
        has_room = True
        try:
            while self._waiting and not connection.lost:
                item = self._waiting[0]
                if isinstance(item, anyio.Event):
                    item.set()
                elif rest := self._write_piece(item):
                    self._waiting[:1] = rest
                    if has_room:  # else the client has shown nothing: the time runs on
                        connection.deadlines.arm(deadlines.WRITE, time.monotonic())
                    has_room = await connection.transport.wait_writable()
                    continue
                self._waiting.pop(0)
        except FileFailure as error:
            self._cut_off(error)
        except OSError:
            connection.drop()
        except BaseException:
            connection.drop(abort=True)  # the server ends before the client has read on
            raise
        finally:
            connection.deadlines.stop_writing()
            for item in self._waiting:
                if isinstance(item, anyio.Event):
                    item.set()
                elif isinstance(item, FilePart):
                    item.close()
            self._waiting.clear()
            self._next_turn()
