"""Accepting the connections of one listener.

Not by the loop's own servers: asyncio's says in the log, at every turn of the loop, that there is
no descriptor left, and uvloop's closes the connections that it cannot keep.
"""

import asyncio
import errno
from contextlib import suppress

from esg.load_sharing import PAUSE
from esg.logs import logger

# Before accept() is tried again where it said that there is no room for another connection.
TROUBLE_PAUSE = 0.5  # seconds
ACCEPTS_AT_ONCE = 64
# What `room` says where it is another process's turn to accept.
NOT_YET = -1


class Acceptor:
    """Make transports of the connections that come to one listener.

    Args:
        listener: listening and non-blocking; closed by `close`.
        protocol_factory: makes the protocol of one connection.
        room: returns how many more connections may be open, or NOT_YET; `start` again once there
            is some.
        on_room: called where there may be room again, without a connection that has told of it.
        loop: the running loop.
        on_accepted: told how many connections have been accepted at once.
    """

    def __init__(self, listener, protocol_factory, room, on_room, loop, on_accepted=None):
        self._on_accepted = on_accepted
        self._room = room
        self._on_room = on_room
        self._listener = listener
        self._protocol_factory = protocol_factory
        self._loop = loop
        self._opening = set()  # tasks: the loop itself would let go of them
        self._protocols = set()  # of these, as far as there are any
        self._pause = None
        self.is_full = False  # no more connections are accepted until some have ended
        self._trouble = None  # what accept() said, once for each trouble in the log

    def opening(self, made):
        """Return how many connections are accepted and not yet made.

        Args:
            made: the protocols of those that are; for a moment, some of them are still opening.
        """
        return len(self._opening) - len(self._protocols & made)

    def start(self):
        """Accept whenever a client comes."""
        self._pause = None
        self.is_full = False
        self._loop.add_reader(self._listener, self._accept)

    async def finish(self, take_waiting):
        """Accept what the kernel has, a bounded number, and wait until all transports are made.

        Args:
            take_waiting: nobody else would accept what the kernel has.
        """
        if take_waiting:
            with suppress(OSError):  # the listener goes anyway
                self._accept_waiting()
        else:
            self._stop_watching()
        while self._opening:
            await asyncio.wait(self._opening)
            await asyncio.sleep(0)  # what takes them out of the set runs in the next turn

    def close(self):
        """Accept no more, and close the listener."""
        if self._listener.fileno() >= 0:
            # First: a loop may keep a socket open that it watches.
            self._stop_watching()
            self._listener.close()

    def _stop_watching(self):
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._listener)

    def _start_after(self, seconds):
        self._stop_watching()
        self._pause = self._loop.call_later(seconds, self.start)

    def _accept(self):
        try:
            self._accept_waiting()
        except OSError as error:
            if error.errno == errno.ECONNABORTED:
                return  # the client was gone before it was accepted
            if error.errno != self._trouble:
                self._trouble = error.errno
                logger.error("Cannot accept connections: %s; trying on", error.strerror)
            self._start_after(TROUBLE_PAUSE)
        else:
            self._trouble = None

    def _accept_waiting(self):
        """Accept what the kernel has, a bounded number at once.

        Raises:
            OSError: there is no room for another connection, or this one is gone.
        """
        room = self._room()
        if room == NOT_YET:
            self._start_after(PAUSE)
        elif room <= 0:
            self._stop_watching()
            self.is_full = True
        before = len(self._opening)
        try:
            for _ in range(min(ACCEPTS_AT_ONCE, room)):
                accepted, _ = self._listener.accept()
                task = self._loop.create_task(self._open(accepted))
                self._opening.add(task)
                task.add_done_callback(self._opened)
        except BlockingIOError:
            pass
        finally:
            if self._on_accepted is not None:
                self._on_accepted(len(self._opening) - before)

    def _opened(self, task):
        self._opening.discard(task)
        # A connection that was over before this still counted as opening when it left its room.
        if not task.cancelled() and (self.is_full or not task.result()):
            self._on_room()

    async def _open(self, accepted):
        """Make a connection's transport; tell whether that went well."""
        accepted.setblocking(False)
        protocol = None
        try:
            # Not in a function of its own: that would hold the protocol for ever, with itself.
            protocol = self._protocol_factory()
            self._protocols.add(protocol)
            await self._loop.connect_accepted_socket(lambda: protocol, accepted)
        except OSError as error:  # the client is gone already
            logger.debug("Connection lost: %s", error)
            accepted.close()
            return False
        finally:
            self._protocols.discard(protocol)
        return True
