"""The exceptions: their families, and which of them mean that only the client is gone."""

from __future__ import annotations

import pytest

from esg import errors
from esg.errors import ClientDisconnected, RequestRejected, is_disconnect_of

EXCHANGE = object()


def gone(exchange: object = EXCHANGE) -> ClientDisconnected:
    return ClientDisconnected("gone", exchange)


def raised_from(cause: BaseException) -> Exception:
    try:
        raise RuntimeError("wrapped") from cause
    except RuntimeError as error:
        return error


def raised_after(context: BaseException) -> Exception:
    try:
        try:
            raise context
        except BaseException:
            raise RuntimeError("after")  # noqa: B904 - the implicit context is the subject
    except RuntimeError as error:
        return error


def test_families() -> None:
    assert issubclass(ClientDisconnected, OSError)  # ASGI 2.4
    assert issubclass(errors.MessageError, RuntimeError)
    for kind in (errors.ConfigError, errors.StartupError):
        assert issubclass(kind, errors.ESGError)
    for kind in (errors.AppLoadError, errors.LifespanError):
        assert issubclass(kind, errors.StartupError)
    assert not issubclass(RequestRejected, errors.ESGError)


def test_request_rejected_carries_its_verdict() -> None:
    rejected = RequestRejected(431, "too long")
    assert (rejected.status, rejected.reason, str(rejected)) == (431, "too long", "431: too long")


@pytest.mark.parametrize(
    "error",
    [
        gone(),
        raised_from(gone()),
        raised_after(gone()),
        raised_from(raised_after(gone())),
        ExceptionGroup("all", [gone(), raised_from(gone())]),
        raised_from(ExceptionGroup("all", [gone()])),
    ],
)
def test_disconnect_of_this_exchange(error: BaseException) -> None:
    assert is_disconnect_of(error, EXCHANGE)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("own"),
        ConnectionResetError("a database's"),
        gone(object()),
        raised_from(gone(object())),
        ExceptionGroup("some", [gone(), ValueError("own")]),
    ],
)
def test_anything_else(error: BaseException) -> None:
    assert not is_disconnect_of(error, EXCHANGE)


def test_a_chain_may_bite_its_tail() -> None:
    first, second = ValueError("first"), ValueError("second")
    first.__context__, second.__context__ = second, first
    assert not is_disconnect_of(first, EXCHANGE)


def taken_out_of_group(*members: Exception) -> Exception:
    """Raise a group's first member as frameworks do: the group is its context, and holds it."""
    try:
        raise ExceptionGroup("of a task group", members)
    except ExceptionGroup as group:
        members[0].__context__ = group
        return members[0]


def test_a_group_may_be_its_members_context() -> None:
    assert not is_disconnect_of(taken_out_of_group(ValueError("own")), EXCHANGE)
    assert is_disconnect_of(raised_from(taken_out_of_group(gone())), EXCHANGE)
    assert not is_disconnect_of(taken_out_of_group(ValueError("own"), gone()), EXCHANGE)
    assert is_disconnect_of(taken_out_of_group(raised_from(gone()), raised_from(gone())), EXCHANGE)
