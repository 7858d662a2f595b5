# cython: binding=False
"""A connection on a transport that also sends files, past the transport.

A transport takes bytes only, so a file waits until it has written all of its own; then the kernel
sends, and what comes behind the file waits meanwhile as for any slow client. It is sent by
callbacks of the connection: an application that gives up its send() leaves no half message. Must
not know requests.
"""

import os

from esg.accel.serving cimport monotonic
from esg.accel.transport_connection cimport CLOSED, WRITE, TransportConnection

from esg.accel.transport_socket import fileno
from esg.errors import FileFailure
from esg.file_part import FilePart
from esg.logs import logger


cdef class FileConnection(TransportConnection):
    """Move the bytes of one client, those of files among them."""

    def __cinit__(self):
        self.watched = -1

    cdef int write(self, list pieces, bint is_final) except -1:
        """Write buffers and files; from the first file on, as the client takes them."""
        cdef Py_ssize_t index
        if self.lost or self.phase == CLOSED:
            return 0
        for index in range(len(pieces)):
            if isinstance(pieces[index], FilePart):
                TransportConnection.write(self, pieces[:index], False)
                return self._begin_files(pieces[index:])
        return TransportConnection.write(self, pieces, is_final)

    cdef int _begin_files(self, list pieces) except -1:
        if self.lost or self.transport is None:
            return 0
        if self.transport.get_extra_info("sslcontext") is not None:
            for piece in pieces:
                if isinstance(piece, FilePart):
                    piece.by_reading = True
        self.files = pieces
        self.writing_paused = True
        if self.files_written():
            self.writing_paused = False
            self.deadlines.stop_writing()
        return 0

    # What the transport, or the loop, reports of writing.

    def pause_writing(self):
        """Take note that bytes wait for the client to read."""
        self.transport_full = True
        TransportConnection.pause_writing(self)

    def resume_writing(self):
        """Take note that the kernel has all of the transport's bytes."""
        self.transport_full = False
        self.write_on()

    def write_on(self):
        """Write on behind what the kernel has taken."""
        try:
            if not self.lost and self.files_written():
                self.all_written()
        except BaseException:
            self.internal_error()

    cdef int all_written(self) except -1:
        """Take note that the kernel has all bytes."""
        raise NotImplementedError

    # Files.

    cdef bint files_written(self) except -1:
        """Write what the kernel takes of the files; tell whether nothing is left to write."""
        if self.files is None:
            return not self.transport_full
        try:
            if not self._write_files():
                return False
        except FileFailure as error:
            # Too little must not look like all.
            logger.error("A response is cut off: %s", error)
            self.drop(True)
            return False
        except OSError as error:
            logger.debug("Connection lost: %s", error)
            self.drop(True)
            return False
        except BaseException:
            self.lost = True  # as in _transmit
            raise
        self.files = None
        self._unwatch()
        return not self.transport_full

    cdef bint _write_files(self) except -1:
        """Write on, until a file has had its turn; tell whether the transport has the rest."""
        while self.files:
            if self.transport_full or self.transport.is_closing():
                self._unwatch()
                return False
            piece = self.files[0]
            if not isinstance(piece, FilePart):
                self.transport.write(piece)
            elif not self._write_file(piece):
                return False
            del self.files[0]
        return True

    cdef bint _write_file(self, object part) except -1:
        """Write what the kernel takes at once of a file; tell whether that was the rest of it."""
        self.deadlines.arm(WRITE, monotonic())
        if part.by_reading:
            self._unwatch()
            self.transport.write(part.read())
        else:
            part.send(fileno(self.transport))
        if not part:
            part.close()
            return True
        if not part.by_reading:
            self._watch(part)
        if part.by_reading and not self.transport_full:
            self.serving.loop.call_soon(self.write_on)
        return False

    cdef int _watch(self, object part) except -1:
        """Have the loop tell when the socket takes more.

        It refuses a descriptor that belongs to a transport, so it is given a duplicate; where there
        is none to be had, the transport will do.
        """
        if self.watched < 0:
            try:
                self.watched = os.dup(fileno(self.transport))
            except OSError:
                part.by_reading = True
                return 0
            self.serving.loop.add_writer(self.watched, self.write_on)
        return 0

    cdef int _unwatch(self) except -1:
        if self.watched >= 0:
            self.serving.loop.remove_writer(self.watched)
            os.close(self.watched)
            self.watched = -1
        return 0

    cdef int forget(self) except -1:
        """Let go of what belongs to an open connection.

        Before the transport closes: with a duplicate open, the connection would be, too.
        """
        self.files = None
        self._unwatch()
        return TransportConnection.forget(self)
