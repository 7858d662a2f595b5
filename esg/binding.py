"""From settings to listening sockets: TCP, UNIX and inherited ones.

Must not know loops: every socket comes back bound and non-blocking.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

from esg.config import Config
from esg.errors import StartupError
from esg.rules.scope import Address


def bind(config: Config) -> list[socket.socket]:
    """Open what `config` asks to listen on; nobody can connect until `listen` is called.

    A host name is bound at every address that it has, all with one port.

    Raises:
        StartupError: naming the address and why.
    """
    if config.fd is not None:
        return [_inherit(config.fd)]
    if config.uds is not None:
        return [_bind_unix(config.uds)]
    return _bind_tcp(config.host, config.port)


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


def _bind_tcp(host: str, port: int) -> list[socket.socket]:
    address = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise StartupError(f"cannot bind {host}: {_reason(error)}") from None
    listeners: list[socket.socket] = []
    for family, kind, protocol, _, sockaddr in dict.fromkeys(found):
        listener = socket.socket(family, kind, protocol)
        listeners.append(listener)
        try:
            _prepare_tcp(listener)
            listener.bind((sockaddr[0], port, *sockaddr[2:]))
        except OSError as error:
            for opened in listeners:
                opened.close()
            raise StartupError(f"cannot bind {_shown(host, port)}: {_reason(error)}") from None
        port = listener.getsockname()[1]  # 0 became a number: the other families get the same
    return listeners


def _prepare_tcp(listener: socket.socket) -> None:
    listener.setblocking(False)
    if os.name == "posix":  # on Windows it would let two servers share the port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if listener.family == socket.AF_INET6:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)


def _bind_unix(path: str) -> socket.socket:
    if not hasattr(socket, "AF_UNIX"):
        raise StartupError(f"cannot bind unix:{path}: this system has no UNIX sockets")
    listener = socket.socket(socket.AF_UNIX)
    try:
        _remove_dead_socket(path)
        listener.setblocking(False)
        listener.bind(path)
    except OSError as error:
        listener.close()
        raise StartupError(f"cannot bind unix:{path}: {_reason(error)}") from None
    return listener


def _inherit(fd: int) -> socket.socket:
    try:
        listener = socket.socket(fileno=fd)
    except OSError as error:
        raise StartupError(f"cannot serve descriptor {fd}: {_reason(error)}") from None
    if listener.type != socket.SOCK_STREAM:
        raise StartupError(f"cannot serve descriptor {fd}: not a stream socket")
    listener.setblocking(False)
    return listener


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


def release(config: Config, listeners: list[socket.socket]) -> None:
    """Close listening sockets, and remove the file of a UNIX socket that `bind` made.

    The file of an inherited socket belongs to whoever made that.
    """
    for listener in listeners:
        listener.close()  # again, where the driver has done it
    if config.uds is not None:
        with suppress(FileNotFoundError):  # somebody else removed it
            Path(config.uds).unlink()


def address_of(listener: socket.socket) -> str:
    """Return the address of a listener as users write it: a URL, or unix:PATH."""
    name = listener.getsockname()
    if isinstance(name, tuple):
        return f"http://{_shown(name[0], name[1])}"
    return f"unix:{os.fsdecode(name)}"


def endpoint(name: object) -> Address:
    """Turn what getsockname or getpeername gave into a scope's `server` or `client`."""
    if isinstance(name, tuple):
        return (name[0], name[1])
    return (os.fsdecode(name), None) if isinstance(name, (str, bytes)) and name else None


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"


def _reason(error: OSError | UnicodeError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
