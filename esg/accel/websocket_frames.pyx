# cython: binding=False
"""Frames (RFC 6455 section 5): the client's, from raw bytes to events, and the headers of ours.

Verdicts are those of `rules.websocket_frames`; here payloads are moved. A message that comes
whole, as a plain frame, is unmasked where it lies or straight into what the application gets. Any
other is collected in one buffer, and judged piece by piece as it comes.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from esg.accel.input_buffer cimport InputBuffer
from esg.accel.masking cimport has_non_ascii, rotated, unmask
from esg.accel.message_buffer cimport MessageBuffer
from esg.accel.output_buffer cimport OutputBuffer
from esg.accel.rules.websocket_deflate cimport MessageInflater
from esg.accel.rules.websocket_frames cimport FrameRules
from esg.accel.utf8_validator cimport Utf8Validator

from esg.accel.rules.websocket_deflate import NOT_TEXT
from esg.accel.rules.websocket_frames import read_close
from esg.errors import WebSocketFailure
from esg.websocket import INVALID_DATA, Failure, Ping, Pong

cdef enum:
    # Opcodes (RFC 6455 section 5.2).
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9

cdef enum:
    FIN = 0x80
    RSV1 = 0x40
    MASKED = 0x80
    KEY_SIZE = 4
    MAX_HEADER = 10  # of a frame that is not masked


cdef class FrameReader:
    """Read the frames of one client.

    Args:
        rules: that judge its frame headers.
        inflater: of its messages, None where they are not compressed.
        max_size: bytes that a message may have.
    """

    def __init__(self, FrameRules rules, MessageInflater inflater, long long max_size):
        self._rules = rules
        self._inflater = inflater
        self._max_size = max_size

    cdef object next_event(self, InputBuffer source):
        """Take bytes up to the next event; None where more are needed.

        After a close frame or a failure there is nothing more, whatever comes.
        """
        cdef object event = None
        if not self.ended:
            try:
                event = self._next_event(source)
            except WebSocketFailure as failure:
                self.ended = True
                event = self._failure(failure.code, failure.reason)
        if self.ended:
            self._message = None
            source.clear()
        return event

    cdef object _failure(self, int code, str reason):
        cdef FrameRules rules = self._rules
        if rules.compressed and rules.message_opcode == TEXT and rules.opcode < CLOSE:
            if code == INVALID_DATA:
                reason = NOT_TEXT
        return Failure(code, reason)

    cdef object _next_event(self, InputBuffer source):
        cdef object event
        while True:
            if not self._in_frame:
                event = self._plain_message(source)
                if event is not None:
                    return event
                if not self._read_header(source):
                    return None
            self._read_payload(source)
            if self._in_frame:
                return None
            event = self._frame_event()
            if event is not None:
                return event

    # The common case: one frame, neither fragmented nor compressed, that has come whole.

    cdef object _plain_message(self, InputBuffer source):
        """Take a message that is lawful beyond doubt; None leaves it to the rules."""
        cdef const uint8_t *data = <const uint8_t *> source.data
        cdef char *payload
        cdef Py_ssize_t header = 2 + KEY_SIZE
        cdef long long size
        cdef uint32_t key
        cdef bytes message
        if source.size < header or self._rules.in_message or not data[1] & MASKED:
            return None
        if data[0] != FIN | TEXT and data[0] != FIN | BINARY:
            return None
        size = data[1] & 0x7F
        if size == 126:
            header += 2
            if source.size < header:
                return None
            size = (<int> data[2] << 8) | data[3]
            if size < 126:
                return None
        elif size == 127:  # larger than any one read
            return None
        if size > self._max_size or source.size < header + size:
            return None
        memcpy(&key, data + header - KEY_SIZE, KEY_SIZE)
        # The memory is the server's own, and what is taken is not read again.
        payload = <char *> data + header
        if data[0] == FIN | BINARY:
            message = PyBytes_FromStringAndSize(NULL, size)
            unmask(PyBytes_AS_STRING(message), payload, size, key)
            source.skip(header + size)
            return message
        unmask(payload, payload, size, key)
        text = _decoded(payload, size)
        source.skip(header + size)
        return text

    # Every other frame.

    cdef bint _read_header(self, InputBuffer source) except -1:
        """Take a frame's header; tell whether it has come whole.

        Raises:
            WebSocketFailure: the verdict on it, as soon as the octets that are there show it.
        """
        cdef const uint8_t *data = <const uint8_t *> source.data
        cdef Py_ssize_t size = 2
        cdef uint64_t length
        cdef int form
        if source.size < size:
            return False
        self._rules.begin(data[0], data[1])
        form = data[1] & 0x7F
        if form > 125:
            size += 2 if form == 126 else 8
        if source.size < size:
            return False
        length = form if form < 126 else _number(data + 2, size - 2)
        if length >> 63:  # more than the rule's number can be; it says so of the octets
            self._rules.read_header(source.peek(), 0)
        self._rules.check_length(form, length)
        if source.size < size + KEY_SIZE:
            return False
        self._rules.commit()
        memcpy(&self._key, data + size, KEY_SIZE)
        source.skip(size + KEY_SIZE)
        self._missing = length
        self._in_frame = True
        return True

    cdef int _read_payload(self, InputBuffer source) except -1:
        """Take what has come of a frame's payload."""
        cdef Py_ssize_t size = min(self._missing, source.size)
        cdef MessageBuffer control = self._control
        if self._rules.opcode < CLOSE:
            self._read_content(source, size)
        elif size:
            if control is None:
                self._control = control = MessageBuffer()
            unmask(control.room(size, size), source.data, size, self._key)
            control.size += size
        if size:
            source.skip(size)
            self._key = rotated(self._key, size)
            self._missing -= size
        self._in_frame = self._missing > 0
        return 0

    cdef int _read_content(self, InputBuffer source, Py_ssize_t size) except -1:
        """Take a piece of a message."""
        cdef FrameRules rules = self._rules
        cdef MessageBuffer message = self._message
        cdef bint is_last = rules.final and size == self._missing
        cdef bytes content
        cdef char *place
        cdef uint64_t seen
        if message is None:
            self._message = message = MessageBuffer()
            self._text = Utf8Validator()
        if rules.compressed:
            content = PyBytes_FromStringAndSize(NULL, size)
            unmask(PyBytes_AS_STRING(content), source.data, size, self._key)
            content = self._inflate(content, is_last)
            if is_last and not message.size and self._text.between_characters():
                self._whole = content
                return 0
            return self._add_inflated(content)
        if size:
            # What follows a fragment may well be as long again.
            announced = rules.message_size if rules.final else 2 * rules.message_size
            place = message.room(size, announced)
            seen = unmask(place, source.data, size, self._key)
            message.size += size
            if has_non_ascii(seen) or not self._text.between_characters():
                self._check_text(place, size)
        return 0

    cdef bytes _inflate(self, bytes data, bint is_last):
        """Inflate a piece of a message; what is no text before it becomes too large is so first."""
        try:
            return self._inflater.inflate(data, is_last)
        except WebSocketFailure:
            self._check_text(
                PyBytes_AS_STRING(self._inflater.before_failure),
                PyBytes_GET_SIZE(self._inflater.before_failure),
            )
            raise

    cdef int _add_inflated(self, bytes content) except -1:
        cdef MessageBuffer message = self._message
        cdef Py_ssize_t size = PyBytes_GET_SIZE(content)
        if size:
            memcpy(message.room(size, 2 * (message.size + size)), PyBytes_AS_STRING(content), size)
            message.size += size
            self._check_text(PyBytes_AS_STRING(content), size)
        return 0

    cdef int _check_text(self, const char *data, Py_ssize_t size) except -1:
        if self._rules.message_opcode == TEXT and not self._text.take(data, size):
            raise _not_text()
        return 0

    cdef object _frame_event(self):
        """Return the event that a frame's end is; None if it is only a fragment's."""
        cdef MessageBuffer message = self._message
        if self._rules.opcode >= CLOSE:
            return self._control_event()
        if not self._rules.final:
            return None
        # Large memory, or a sparse one, is not kept for the next.
        self._message = None
        if self._whole is not None:
            return self._take_whole()
        if self._rules.message_opcode == BINARY:
            return message.take()
        if not self._text.between_characters():
            raise _not_text()
        return message.take_text()

    cdef object _take_whole(self):
        """Take a message that was inflated at once."""
        cdef bytes content = self._whole
        self._whole = None
        if self._rules.message_opcode == BINARY:
            return content
        return _decoded(PyBytes_AS_STRING(content), PyBytes_GET_SIZE(content))

    cdef object _control_event(self):
        cdef bytes payload = b"" if self._control is None else self._control.take()
        self._control = None
        if self._rules.opcode == CLOSE:
            self.ended = True
            return read_close(payload)
        return Ping(payload) if self._rules.opcode == PING else Pong(payload)


cdef uint64_t _number(const uint8_t *data, Py_ssize_t size) noexcept:
    """Read a number in network byte order."""
    cdef uint64_t number = 0
    cdef Py_ssize_t i
    for i in range(size):
        number = (number << 8) | data[i]
    return number


cdef str _decoded(const char *data, Py_ssize_t size):
    try:
        return PyUnicode_DecodeUTF8(data, size, NULL)
    except UnicodeDecodeError:
        raise _not_text() from None


cdef object _not_text():
    return WebSocketFailure(INVALID_DATA, "text is not UTF-8")


cdef int put_header(OutputBuffer out, int opcode, bint compressed, Py_ssize_t size) except -1:
    """Put the header of a frame that is a whole message, or a control frame."""
    cdef uint8_t *header = <uint8_t *> out.room(MAX_HEADER)
    cdef Py_ssize_t i
    header[0] = FIN | opcode | (RSV1 if compressed else 0)
    if size < 126:
        header[1] = size
        out.size += 2
    elif size < 0x10000:
        header[1] = 126
        header[2] = size >> 8
        header[3] = size & 0xFF
        out.size += 4
    else:
        header[1] = 127
        for i in range(8):
            header[2 + i] = (size >> (8 * (7 - i))) & 0xFF
        out.size += 10
    return 0
