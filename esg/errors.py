"""Every exception of the package, in one place so that both drivers raise the same classes.

Must not know sockets, loops or rules: the rule modules, interpreted and compiled, import it.
"""

from __future__ import annotations

from collections.abc import Sequence


class ESGError(Exception):
    """The base of the errors that ESG raises for its user's sake."""

    def lines(self) -> tuple[str, ...]:
        """Return what is wrong, each thing for itself."""
        return (str(self),)


class ConfigError(ESGError):
    """Say which setting is unknown, wrong or contradicts another (exit code 2)."""


class StartupError(ESGError):
    """Say why the server cannot start: import, bind, lifespan, implementation (exit code 3)."""


class CertificateError(StartupError):
    """Say what is wrong with certificates and what belongs to them.

    Args:
        faults: a line each.
    """

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)

    def lines(self) -> tuple[str, ...]:
        """Return the faults."""
        return self.faults


class AppLoadError(StartupError):
    """Say which part of an application's import string does not lead to an application."""


class LifespanError(StartupError):
    """Say that the application's lifespan start-up failed."""


class MessageError(RuntimeError):
    """Tell the application that ASGI forbids the message it sent, here or in this state.

    Raised out of `send()`. Source: ASGI specification, "Error Handling".
    """


class WrongThread(RuntimeError):
    """Tell the application that it must not call `receive()` and `send()` in another thread.

    They belong to the event loop; `anyio.from_thread.run` calls them there.
    """

    def __init__(self) -> None:
        super().__init__("receive() and send() can only be called in the event loop's own thread")


class ClientDisconnected(ConnectionError):
    """Tell the application that nobody is left to receive what it sends.

    Raised out of `send()`; a subclass of OSError as the ASGI HTTP and WebSocket specifications
    2.4 and later ask ("Disconnected Client - send exception").

    Args:
        message: what happened.
        exchange: whose client is gone.
    """

    def __init__(self, message: str, exchange: object = None) -> None:
        super().__init__(message)
        self.exchange = exchange


class TLSHandshakeFailed(ConnectionError):
    """Say why a client and this server could not agree on how to speak TLS."""


class AppOverdue(ESGError):
    """Say that an application was cancelled because its response took too long."""


def is_disconnect_of(error: BaseException, exchange: object) -> bool:
    """Tell whether an application ended only because the client of `exchange` is gone.

    Frameworks wrap the error that `send()` raised: it may stand anywhere in the chain of causes
    and contexts; an exception group counts if all its members do.
    """
    return _is_disconnect_of(error, exchange, frozenset())


def _is_disconnect_of(error: BaseException | None, exchange: object, seen: frozenset[int]) -> bool:
    # A chain may bite its tail: an exception that was taken out of a group has it as its context.
    while error is not None and id(error) not in seen:
        seen |= {id(error)}
        if isinstance(error, ClientDisconnected) and error.exchange is exchange:
            return True
        if isinstance(error, BaseExceptionGroup) and all(
            _is_disconnect_of(member, exchange, seen) for member in error.exceptions
        ):
            return True
        error = error.__cause__ or error.__context__
    return False


class FileFailure(Exception):
    """Say why the rest of a file cannot be sent, of which a part is on its way already."""


class RequestRejected(Exception):
    """Carry the verdict on a request that is answered by the server and never by the application.

    Args:
        status: the HTTP status code of the answer.
        reason: what was wrong, for the log; never sent to the client.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.status}: {self.reason}"


class ProxyHeaderRejected(Exception):
    """Say what is wrong with the PROXY protocol header of a connection, which is then closed."""


class WebSocketFailure(Exception):
    """Carry the verdict on frames that no connection survives.

    Args:
        code: the close code to answer with (RFC 6455 section 7.4).
        reason: what was wrong, for the close frame and the log; nothing of the client's data.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason
