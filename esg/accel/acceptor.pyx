"""Accepting the connections of one listener.

Not by the loop's own servers: asyncio's says in the log, at every turn of the loop, that there is
no descriptor left, and uvloop's closes the connections that it cannot keep.
"""

import asyncio
import errno
from contextlib import suppress

from esg.logs import logger

# Before accept() is tried again where it said that there is no room for another connection.
TROUBLE_PAUSE = 0.5  # seconds
ACCEPTS_AT_ONCE = 64


class Acceptor:
    """Make transports of the connections that come to one listener.

    Args:
        listener: listening and non-blocking; closed by `close`.
        protocol_factory: makes the protocol of one connection.
        room: returns how many more connections may be open; `start` again once there is some.
        on_room: called where a connection that was accepted has failed, and left its room.
        loop: the running loop.
    """

    def __init__(self, listener, protocol_factory, room, on_room, loop):
        self._room = room
        self._on_room = on_room
        self._listener = listener
        self._protocol_factory = protocol_factory
        self._loop = loop
        self._opening = set()  # tasks: the loop itself would let go of them
        self._pause = None
        self.is_full = False  # no more connections are accepted until some have ended
        self._trouble = None  # what accept() said, once for each trouble in the log

    @property
    def opening(self):
        """Return how many connections are accepted and not yet made."""
        return len(self._opening)

    def start(self):
        """Accept whenever a client comes."""
        self._pause = None
        self.is_full = False
        self._loop.add_reader(self._listener, self._accept)

    async def finish(self):
        """Accept what the kernel has, a bounded number, and wait until all transports are made."""
        with suppress(OSError):  # the listener goes anyway
            self._accept_waiting()
        while self._opening:
            await asyncio.wait(self._opening)
            await asyncio.sleep(0)  # what takes them out of the set runs in the next turn

    def close(self):
        """Accept no more, and close the listener."""
        if self._pause is not None:
            self._pause.cancel()
        if self._listener.fileno() >= 0:
            # First: a loop may keep a socket open that it watches.
            self._loop.remove_reader(self._listener)
            self._listener.close()

    def _accept(self):
        try:
            self._accept_waiting()
        except OSError as error:
            if error.errno == errno.ECONNABORTED:
                return  # the client was gone before it was accepted
            if error.errno != self._trouble:
                self._trouble = error.errno
                logger.error("Cannot accept connections: %s; trying on", error.strerror)
            self._loop.remove_reader(self._listener)
            self._pause = self._loop.call_later(TROUBLE_PAUSE, self.start)
        else:
            self._trouble = None

    def _accept_waiting(self):
        """Accept what the kernel has, a bounded number at once.

        Raises:
            OSError: there is no room for another connection, or this one is gone.
        """
        with suppress(BlockingIOError):
            room = self._room()
            if room <= 0:
                self._loop.remove_reader(self._listener)
                self.is_full = True
            for _ in range(min(ACCEPTS_AT_ONCE, room)):
                accepted, _ = self._listener.accept()
                task = self._loop.create_task(self._open(accepted))
                self._opening.add(task)
                task.add_done_callback(self._opened)

    def _opened(self, task):
        self._opening.discard(task)
        if not task.cancelled() and not task.result():
            self._on_room()

    async def _open(self, accepted):
        """Make a connection's transport; tell whether that went well."""
        accepted.setblocking(False)
        try:
            await self._loop.connect_accepted_socket(self._protocol_factory, accepted)
        except OSError as error:  # the client is gone already
            logger.debug("Connection lost: %s", error)
            accepted.close()
            return False
        return True
