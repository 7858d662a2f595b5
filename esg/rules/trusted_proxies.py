"""Which peers are trusted to speak for others: the proxies in front of the server.

What a trusted one may say is the matter of `proxy_headers` and `proxy_protocol`.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

_Address: TypeAlias = tuple[str, int | None] | None

_EVERYONE: Final = "*"
_UNIX: Final = "unix"


class TrustedProxies:
    """Know the proxies that are trusted.

    Args:
        allowed: a list with commas of addresses, networks such as 10.0.0.0/8, paths of the server's
            UNIX sockets that they connect to, "unix" for any of those, or "*" for everyone.

    Raises:
        ValueError: with what is allowed.
    """

    __slots__ = ("_addresses", "_everyone", "_networks", "_sockets", "_unix")

    def __init__(self, allowed: str) -> None:
        self._everyone = False
        self._unix = False
        self._addresses: set[str] = set()
        self._networks: list[IPv4Network | IPv6Network] = []
        self._sockets: set[str] = set()
        for word in allowed.split(","):
            if word.strip():
                self._allow(word.strip())

    def _allow(self, word: str) -> None:
        if word == _EVERYONE:
            self._everyone = True
        elif word == _UNIX:
            self._unix = True
        elif word.startswith(("/", "unix:/")):
            self._sockets.add(word.removeprefix("unix:"))
        else:
            try:
                if "/" in word:
                    self._networks.append(ip_network(word))
                else:
                    self._addresses.add(str(_plain(ip_address(word))))
            except ValueError as error:
                raise ValueError(
                    "must be addresses, networks such as 10.0.0.0/8, paths of UNIX sockets, "
                    f"unix or * ({error})"
                ) from None

    def trusts_peer(self, client: _Address, server: _Address) -> bool:
        """Tell whether the other end of a connection is trusted.

        Args:
            client: as a scope shows it; a UNIX socket has none.
            server: likewise; a UNIX socket's path.
        """
        if client is not None:
            return self.covers(client[0])
        if self._everyone or server is None:
            return self._everyone or self._unix
        # A TCP peer that has reset its connection has no address any more, either.
        return server[1] is None and (self._unix or server[0] in self._sockets)

    def covers(self, host: str) -> bool:
        """Tell whether an address is one of a trusted proxy."""
        # Nearly all addresses are written in the one way that the set has, too.
        if self._everyone or host in self._addresses:
            return True
        if not self._networks and ":" not in host:
            return False
        try:
            address = _plain(ip_address(host.partition("%")[0]))
        except ValueError:
            return False
        # A list, not any(...): what is compiled here cannot hold a generator.
        return str(address) in self._addresses or True in [address in n for n in self._networks]


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that a dual-stack socket shows as ::ffff:a.b.c.d."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped
