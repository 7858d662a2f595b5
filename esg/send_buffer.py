"""What the kernel still holds of what was written to a client.

It takes bytes long before the client does, and says that it takes more only once a good part of
them is gone. Must not know what the bytes are.
"""

from __future__ import annotations

import sys


def unacknowledged(fileno: int) -> int:
    """Return how many bytes the client's side has not taken; 0 where the kernel does not say.

    Source: tcp(7) and unix(7), SIOCOUTQ, for which TIOCOUTQ is another name; on Linux alone it
    counts for sockets.

    Args:
        fileno: of a connected socket.
    """
    if sys.platform != "linux":
        return 0
    # Imported late: Windows has neither.
    import fcntl  # noqa: PLC0415
    import termios  # noqa: PLC0415

    try:
        answer = fcntl.ioctl(fileno, termios.TIOCOUTQ, bytes(4))
    except OSError:  # closed, or no socket that counts
        return 0
    return int.from_bytes(answer, sys.byteorder)
