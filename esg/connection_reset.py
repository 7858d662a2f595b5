"""Whether a client that nobody reads has reset its connection: the kernel is asked, nothing is read.

Behind bytes that wait to be read the reset does not come up, and a loop that does not watch for
them is not told of it either. Must not know what the bytes are.
"""

from __future__ import annotations

import select


def is_reset(fileno: int) -> bool:
    """Tell whether a connection has been reset; False where the system does not say.

    A client that has finished writing (FIN) is still there, and one that has closed a UNIX socket
    may have left what is still to be read: that is POLLHUP, and no reset.

    Source: poll(2): POLLERR is told without being asked for.

    Args:
        fileno: of a connected socket.
    """
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(fileno, 0)
    return any(events & select.POLLERR for _, events in poll.poll(0))
