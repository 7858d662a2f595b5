"""From settings to listening sockets: TCP, UNIX and inherited ones.

Must not know loops: every socket comes back bound and non-blocking.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from esg.bind_address import BindAddress, parse_bind
from esg.config import Config
from esg.errors import StartupError
from esg.rules.scope import Address

_FIRST_PASSED = 3  # SD_LISTEN_FDS_START
# A free port of one address may be another's: so often others are tried.
_ATTEMPTS = 8
# What bind() says of an address that this machine cannot have, and another one may stand in for.
_NO_SUCH_FAMILY = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)


def bind(config: Config) -> list[socket.socket]:
    """Open what `config` asks to listen on; nobody can connect until `listen` is called.

    A host name is bound at every address that it has, all with one port.

    Raises:
        StartupError: naming the address and why.
    """
    addresses = [parse_bind(text) for text in config.bind] or [_single(config)]
    for attempt in range(_ATTEMPTS):
        listeners: list[socket.socket] = []
        try:
            _bind_all(addresses, config, listeners)
        except StartupError as error:
            release(listeners)
            taken = (
                isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EADDRINUSE
            )
            if not taken or not _shares_free_port(addresses) or attempt == _ATTEMPTS - 1:
                raise
        else:
            return listeners
    raise AssertionError("the last attempt returns or raises")


def _single(config: Config) -> BindAddress:
    if config.fd is not None:
        return BindAddress(fd=config.fd)
    if config.uds is not None:
        return BindAddress(path=config.uds)
    return BindAddress(host=config.host, port=config.port)


def _shares_free_port(addresses: list[BindAddress]) -> bool:
    """Tell whether several addresses are to have the same free port: the first's may be taken."""
    return sum(address.host is not None and not address.port for address in addresses) > 1


def _bind_all(addresses: list[BindAddress], config: Config, listeners: list[socket.socket]) -> None:
    """Bind each address; those with port 0 get one free port together."""
    free_port = 0
    for address in addresses:
        if address.fd is not None:
            listeners.append(_inherit(address.fd))
        elif address.systemd is not None:
            listeners += map(_inherit, systemd_descriptors(address.systemd, os.environ))
        elif address.path is not None:
            listeners.append(_bind_unix(address.path, config.uds_permissions))
        else:
            port = address.port or free_port
            found = _bind_tcp(address.host or "", port, config.reuse_port)
            listeners += found
            if not address.port:
                free_port = found[0].getsockname()[1]


def systemd_descriptors(name: str, environment: Mapping[str, str]) -> list[int]:
    """Return the descriptors that systemd has passed to this process (sd_listen_fds(3)).

    Args:
        name: of the sockets (FileDescriptorName=), "" for all of them.
        environment: where LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES are.

    Raises:
        StartupError: there are none, or none of that name.
    """
    if environment.get("LISTEN_PID") != str(os.getpid()):
        raise StartupError("cannot bind systemd: no sockets were passed to this process")
    count = environment.get("LISTEN_FDS", "")
    passed = int(count) if count.isascii() and count.isdigit() and len(count) < 5 else 0
    numbers = range(_FIRST_PASSED, _FIRST_PASSED + passed)
    names = environment.get("LISTEN_FDNAMES", "").split(":")
    found = [
        number
        for index, number in enumerate(numbers)
        if not name or name == (names[index] if index < len(names) else "")
    ]
    if not found:
        raise StartupError(
            f"cannot bind systemd: no socket {name!r} was passed"
            if name
            else "cannot bind systemd: no sockets were passed to this process"
        )
    return found


def listen(listeners: list[socket.socket], backlog: int) -> None:
    """Let clients connect, which they cannot before: the application must be ready first.

    Raises:
        StartupError: another server listens on the address by now.
    """
    for listener in listeners:
        try:
            listener.listen(backlog)
        except OSError as error:
            raise StartupError(f"cannot bind {address_of(listener)}: {_reason(error)}") from None
    check_files(listeners)


def check_files(listeners: list[socket.socket]) -> None:
    """See that clients find the UNIX sockets that `bind` made.

    Until such a socket listens, it looks dead to another server, which removes it.

    Raises:
        StartupError: they do not.
    """
    for listener in listeners:
        if isinstance(listener, _UnixListener) and not listener.has_file():
            raise StartupError(
                f"cannot bind {address_of(listener)}: "
                "another server has taken the place, or somebody has removed the file"
            )


def _bind_tcp(host: str, port: int, reuse_port: bool) -> list[socket.socket]:
    address = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        found = socket.getaddrinfo(
            address or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError) as error:
        raise StartupError(f"cannot bind {host}: {_reason(error)}") from None
    listeners: list[socket.socket] = []
    failure: OSError | None = None
    for family, _, _, _, sockaddr in dict.fromkeys(found):
        try:
            listener = _open_tcp(family, (sockaddr[0], port, *sockaddr[2:]), reuse_port)
        except OSError as error:
            failure = error
            if error.errno in _NO_SUCH_FAMILY:
                continue  # a name may have addresses that this machine has not
            break
        listeners.append(listener)
        failure = None
        port = listener.getsockname()[1]  # 0 became a number: the other families get the same
    if failure is not None and (not listeners or failure.errno not in _NO_SUCH_FAMILY):
        for opened in listeners:
            opened.close()
        raise StartupError(f"cannot bind {_shown(host, port)}: {_reason(failure)}") from failure
    return listeners


def _open_tcp(family: int, address: tuple[Any, ...], reuse_port: bool) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        _prepare_tcp(listener)
        if reuse_port:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


def _prepare_tcp(listener: socket.socket) -> None:
    listener.setblocking(False)
    if os.name == "posix":  # on Windows it would let two servers share the port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if listener.family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)


def _bind_unix(path: str, permissions: int | None) -> socket.socket:
    if not hasattr(socket, "AF_UNIX"):
        raise StartupError(f"cannot bind unix:{path}: this system has no UNIX sockets")
    listener = _UnixListener(socket.AF_UNIX)
    try:
        _remove_dead_socket(path)
        listener.setblocking(False)
        listener.bind(path)
        listener.file = Path(path)
        listener.identity = _identity(listener.file)
        if permissions is not None:
            listener.file.chmod(permissions)
    except OSError as error:
        listener.close()
        listener.remove_file()
        raise StartupError(f"cannot bind unix:{path}: {_reason(error)}") from None
    return listener


class _UnixListener(socket.socket):
    """A listening UNIX socket that knows the file it made."""

    file: Path | None = None
    identity: tuple[int, int] | None = None

    def has_file(self) -> bool:
        """Tell whether the file is there, and not one that another server has put in its place."""
        return self.file is not None and self.identity == _identity(self.file)

    def remove_file(self) -> None:
        """Remove the file, if it is still ours."""
        if self.file is not None and self.has_file():
            self.file.unlink(missing_ok=True)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino)


def _inherit(fd: int) -> socket.socket:
    try:
        listener = socket.socket(fileno=fd)
    except (OSError, OverflowError) as error:
        raise StartupError(f"cannot serve descriptor {fd}: {_reason(error)}") from None
    if listener.type != socket.SOCK_STREAM:
        listener.detach()  # it stays its owner's
        raise StartupError(f"cannot serve descriptor {fd}: not a stream socket")
    try:
        _check_can_listen(listener)
    except OSError as error:
        listener.detach()
        raise StartupError(f"cannot serve descriptor {fd}: {_reason(error)}") from None
    listener.setblocking(False)
    return listener


def _check_can_listen(listener: socket.socket) -> None:
    """See that an inherited socket is bound, and no connection.

    Raises:
        OSError: with the reason.
    """
    try:
        listener.getpeername()
    except OSError:
        name = listener.getsockname()
        if isinstance(name, tuple) and name[1] == 0:
            raise OSError(errno.EINVAL, "it is not bound to an address") from None
    else:
        raise OSError(errno.EISCONN, "it is a connection, not a listener")


def _remove_dead_socket(path: str) -> None:
    """Remove a socket file that nobody listens on.

    Raises:
        OSError: somebody does, or the file is no socket.
    """
    try:
        mode = Path(path).stat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise OSError(errno.EEXIST, "a file that is no socket is there")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            Path(path).unlink(missing_ok=True)
            return
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def release(listeners: list[socket.socket]) -> None:
    """Close listening sockets, and remove the files of the UNIX sockets that `bind` made.

    The file of an inherited socket belongs to whoever made that.
    """
    for listener in listeners:
        listener.close()  # again, where the driver has done it
        if isinstance(listener, _UnixListener):
            listener.remove_file()


def address_of(listener: socket.socket, scheme: str = "http") -> str:
    """Return the address of a listener as users write it: a URL, or unix:PATH."""
    name = listener.getsockname()
    if isinstance(name, tuple):
        return f"{scheme}://{_shown(name[0], name[1])}"
    path = os.fsdecode(name)
    return f"unix:@{path[1:]}" if path.startswith("\0") else f"unix:{path}"


def peer(name: object) -> Address:
    """Turn what getpeername gave into a scope's `client`: a UNIX socket's peer has no address."""
    return endpoint(name) if isinstance(name, tuple) else None


def endpoint(name: object) -> Address:
    """Turn what getsockname gave into a scope's `server`."""
    if isinstance(name, tuple):
        return (name[0], name[1])
    return (os.fsdecode(name), None) if isinstance(name, (str, bytes)) and name else None


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"


def _reason(error: OSError | UnicodeError | OverflowError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
