"""Whether a client that nobody reads has reset its connection: the kernel is asked, nothing is read.

Behind bytes that wait to be read the reset does not come up, and a loop that does not watch for
them is not told of it either. Must not know what the bytes are.
"""

from __future__ import annotations

import select


def is_reset(fileno: int) -> bool:
    """Tell whether nothing can pass on a connection any more; False where the system has no poll().

    A client that has only finished writing (FIN) is still there.

    Source: poll(2): POLLERR and POLLHUP are told without being asked for.

    Args:
        fileno: of a connected socket.
    """
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(fileno, 0)
    return bool(poll.poll(0))
