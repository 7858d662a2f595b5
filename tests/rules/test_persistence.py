"""Whether a connection lives on: RFC 9112 sections 9.3 to 9.6."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.rules.twins import rule

persistence = rule("persistence")


@pytest.mark.parametrize(
    ("http_version", "options", "persists"),
    [
        pytest.param("1.1", (), True, id="RFC 9112 9.3: 1.1 persists"),
        pytest.param("1.1", (b"close",), False, id="RFC 9112 9.3: close"),
        pytest.param("1.1", (b"te", b"close"), False, id="RFC 9112 9.3: close among others"),
        pytest.param("1.1", (b"keep-alive", b"close"), False, id="RFC 9112 9.3: close wins"),
        pytest.param("1.1", (b"keep-alive",), True, id="keep-alive says nothing new"),
        pytest.param("1.1", (b"closed",), True, id="another option"),
        pytest.param("1.0", (), False, id="RFC 9112 9.3: 1.0 does not persist"),
        pytest.param("1.0", (b"keep-alive",), False, id="nor with keep-alive"),
    ],
)
def test_client_decides(
    persistence: ModuleType, http_version: str, options: tuple[bytes, ...], persists: bool
) -> None:
    assert persistence.request_persists(http_version, options) is persists


@pytest.mark.parametrize(
    ("keep_alive", "request_complete", "can_drain", "step"),
    [
        pytest.param(True, True, False, "REUSE", id="both persist"),
        pytest.param(True, True, True, "REUSE", id="both persist, nothing to drain"),
        pytest.param(True, False, True, "DRAIN", id="RFC 9112 9.3: little is unread"),
        pytest.param(True, False, False, "LINGER", id="RFC 9112 9.3: too much is unread"),
        pytest.param(False, True, False, "LINGER", id="RFC 9112 9.6: a close"),
        pytest.param(False, True, True, "LINGER", id="RFC 9112 9.6: a close, nothing to drain"),
        pytest.param(False, False, True, "LINGER", id="RFC 9112 9.6: a close, content unread"),
        pytest.param(False, False, False, "LINGER", id="RFC 9112 9.6: a close, much unread"),
    ],
)
def test_what_follows_a_response(
    persistence: ModuleType, *, keep_alive: bool, request_complete: bool, can_drain: bool, step: str
) -> None:
    """A close must not take the answer with it."""
    found = persistence.after_response(keep_alive, request_complete, can_drain)
    assert found == getattr(persistence, step)


def test_steps_differ(persistence: ModuleType) -> None:
    assert len({persistence.REUSE, persistence.DRAIN, persistence.LINGER}) == 3
