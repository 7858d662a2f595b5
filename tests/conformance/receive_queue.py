"""Ask the kernel whether a server has read what it was sent (Linux sock_diag).

The split run may send the next byte only after the server's recv() took the former one,
else the kernel joins the two. The kernel has no event for "the peer has read", so the
answer is asked for: one netlink query of some 10 microseconds about one connection.
"""

from __future__ import annotations

import socket
import struct
import sys

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLMSG_ERROR = 2
NLM_F_REQUEST = 1
INET_DIAG_INFO = 2
ESTABLISHED, CLOSE_WAIT = 1, 8
ANY_COOKIE = 0xFFFFFFFF
# struct tcp_info, offset of tcpi_bytes_received.
BYTES_RECEIVED_OFFSET = 128
MESSAGE_OFFSET = 16
DIAG_MESSAGE_SIZE = 72

available = sys.platform == "linux"


class ReceiveQueue:
    """The receive queue at the server's end of connections to one address."""

    def __init__(self) -> None:
        self._netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG)
        self._netlink.bind((0, 0))

    def close(self) -> None:
        """Close the netlink socket."""
        self._netlink.close()

    def drained(self, server: tuple[str, int], client: tuple[str, int], sent: int) -> bool:
        """Tell whether the server read all `sent` octets, or has closed its end.

        A connection still in the accept queue has no socket (inode 0) and counts as unread.

        Args:
            server: the address that the client connected to.
            client: the client's own address.
            sent: octets sent on the connection so far.
        """
        reply = self._ask(server, client)
        kind = struct.unpack_from("=H", reply, 4)[0]
        if kind == NLMSG_ERROR:
            return True
        state = reply[MESSAGE_OFFSET + 1]
        if state not in (ESTABLISHED, CLOSE_WAIT):
            return True
        unread, _, _, inode = struct.unpack_from("=IIII", reply, MESSAGE_OFFSET + 56)
        return bool(inode) and unread == 0 and self._arrived(reply) >= sent

    @staticmethod
    def _arrived(reply: bytes) -> int:
        """Return tcpi_bytes_received: octets may wait in the backlog, not yet in the queue."""
        offset = MESSAGE_OFFSET + DIAG_MESSAGE_SIZE
        while offset + 4 <= len(reply):
            size, kind = struct.unpack_from("=HH", reply, offset)
            if kind == INET_DIAG_INFO:
                at = offset + 4 + BYTES_RECEIVED_OFFSET
                return int(struct.unpack_from("=Q", reply, at)[0])
            offset += (size + 3) & ~3
        raise OSError("the kernel gave no tcp_info")

    def _ask(self, server: tuple[str, int], client: tuple[str, int]) -> bytes:
        family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
        addresses = b"".join(
            socket.inet_pton(family, host).ljust(16, b"\0") for host in (server[0], client[0])
        )
        request = struct.pack(
            "=BBBBI", family, socket.IPPROTO_TCP, 1 << (INET_DIAG_INFO - 1), 0, 0xFFFFFFFF
        )
        request += struct.pack("!HH", server[1], client[1]) + addresses
        request += struct.pack("=III", 0, ANY_COOKIE, ANY_COOKIE)
        header = struct.pack("=IHHII", 16 + len(request), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, 1, 0)
        self._netlink.send(header + request)
        return self._netlink.recv(65_536)
