"""The vocabulary of WebSockets: RFC 6455 section 7.4 and IANA's registry."""

from __future__ import annotations

import pytest

from esg import websocket
from esg.websocket import is_close_code


@pytest.mark.parametrize(
    "code", [1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 3999, 4000, 4999]
)
def test_codes_for_close_frames(code: int) -> None:
    assert is_close_code(code)


@pytest.mark.parametrize("code", [-1, 0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535])
def test_codes_that_no_close_frame_has(code: int) -> None:
    assert not is_close_code(code)


def test_what_we_answer_with_may_be_sent() -> None:
    for name in ("NORMAL_CLOSURE", "PROTOCOL_ERROR", "INVALID_DATA", "TOO_BIG"):
        assert is_close_code(getattr(websocket, name))
    assert is_close_code(websocket.INTERNAL_ERROR)
    assert is_close_code(websocket.SERVICE_RESTART)
    assert not is_close_code(websocket.NO_STATUS)
    assert not is_close_code(websocket.ABNORMAL)
