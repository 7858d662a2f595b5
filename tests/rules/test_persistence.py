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


@pytest.mark.parametrize("can_drain", [False, True])
@pytest.mark.parametrize(
    ("client_persists", "keep_alive", "request_complete", "steps"),
    [
        pytest.param(True, True, True, ("REUSE", "REUSE"), id="both persist"),
        pytest.param(True, True, False, ("LINGER", "DRAIN"), id="content is unread"),
        pytest.param(True, False, True, ("LINGER", "LINGER"), id="the server closes"),
        pytest.param(True, False, False, ("LINGER", "LINGER"), id="it closes, content unread"),
        pytest.param(False, False, True, ("CLOSE", "CLOSE"), id="the client closes"),
        pytest.param(False, False, False, ("LINGER", "LINGER"), id="it closes, content unread too"),
    ],
)
def test_what_follows_a_response(
    persistence: ModuleType,
    *,
    client_persists: bool,
    keep_alive: bool,
    request_complete: bool,
    steps: tuple[str, str],
    can_drain: bool,
) -> None:
    """RFC 9112 section 9.6: a close must not take the answer with it."""
    found = persistence.after_response(client_persists, keep_alive, request_complete, can_drain)
    assert found == getattr(persistence, steps[can_drain])


def test_steps_differ(persistence: ModuleType) -> None:
    names = ("REUSE", "DRAIN", "LINGER", "CLOSE")
    assert len({getattr(persistence, name) for name in names}) == len(names)
