"""What a transport does not say of its socket, asked of the kernel.

Must not know connections. None of this waits.
"""

import select
import socket
import struct

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, for 0 s


def fileno(transport):
    """Return the descriptor."""
    return transport.get_extra_info("socket").fileno()


def is_readable(transport):
    """Tell whether the kernel has bytes, or the end of the stream, that nobody has read."""
    poll = select.poll()
    poll.register(fileno(transport), select.POLLIN)
    return bool(poll.poll(0))


def is_at_end(transport):
    """Tell whether what comes next from the kernel is the end of the stream."""
    # uvloop's stand-in for the socket cannot receive, so a copy of it does.
    try:
        sock = socket.fromfd(fileno(transport), socket.AF_INET, socket.SOCK_STREAM)
    except OSError:  # no descriptor is left: it will be asked again
        return False
    with sock:
        sock.setblocking(False)  # whatever socket.setdefaulttimeout() has been told
        try:
            return not sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:  # a reset
            return True


def reset(transport):
    """Close so that the client cannot take what it has for the whole."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        except OSError:  # closed already
            pass
    transport.abort()
