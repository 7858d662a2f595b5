"""Trailers and early hints in the state table of an exchange."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from esg.errors import ClientDisconnected, MessageError
from tests.rules.exchanges import OK, body, make
from tests.rules.twins import rule

http_exchange = rule("http_exchange")
ANNOUNCED = {**OK, "trailers": True}
HINT = {"type": "http.response.early_hint", "links": [b"a", b"b"]}


def trailers(*names: bytes, **more: bool) -> dict[str, Any]:
    """Write a message with trailers."""
    fields = [(name, b"1") for name in names]
    return {"type": "http.response.trailers", "headers": fields, **more}


def taking(http_exchange: ModuleType, takes: bool = True) -> Any:
    """Make an exchange whose client takes trailers, or does not."""
    exchange, wire = make(http_exchange)
    wire.takes_trailers = takes
    return exchange


def test_trailers_end_the_response(http_exchange: ModuleType) -> None:
    exchange = taking(http_exchange)
    exchange.send(ANNOUNCED)
    assert exchange.send(body(b"abc")) == [b"<200>", b"abc"]
    assert exchange.state == http_exchange.STREAMING
    assert exchange.send(trailers(b"a", more_trailers=True)) == [b"(a)"]
    assert exchange.state == http_exchange.STREAMING
    assert exchange.send(trailers(b"b")) == [b"(b)|"]
    assert exchange.state == http_exchange.COMPLETE
    assert exchange.late_messages == 0
    exchange.send(body(b"late"))
    assert exchange.late_messages == 1


def test_trailers_that_nobody_takes(http_exchange: ModuleType) -> None:
    exchange = taking(http_exchange, takes=False)
    exchange.send(ANNOUNCED)
    assert exchange.send(body(b"abc")) == [b"<200>", b"abc", b"|"]
    assert exchange.state == http_exchange.COMPLETE
    assert exchange.send(trailers(b"a")) == []
    assert exchange.late_messages == 0
    assert exchange.send(body(b"late")) == []
    assert exchange.late_messages == 1


@pytest.mark.parametrize("message", [{}, {"type": []}, "no message", None])
def test_late_messages_are_not_even_read(http_exchange: ModuleType, message: Any) -> None:
    """As without trailers: whatever it is, it is late."""
    exchange = taking(http_exchange, takes=False)
    exchange.send(ANNOUNCED)
    exchange.send(body(b"abc"))
    assert exchange.send(message) == []
    assert exchange.late_messages == 1


def test_trailers_that_were_not_announced(http_exchange: ModuleType) -> None:
    exchange = taking(http_exchange)
    exchange.send(OK)
    with pytest.raises(MessageError, match="unannounced"):
        exchange.send(trailers(b"a"))
    assert exchange.send(body(b"abc")) == [b"<200>", b"abc", b"|"]
    exchange.send(trailers(b"a"))
    assert exchange.late_messages == 1


def test_trailers_before_the_final_body(http_exchange: ModuleType) -> None:
    exchange = taking(http_exchange)
    exchange.send(ANNOUNCED)
    exchange.send(body(b"abc", more=True))
    with pytest.raises(MessageError, match="before the final body"):
        exchange.send(trailers(b"a"))
    assert exchange.send(body()) == [b""]


def test_body_where_trailers_are_due(http_exchange: ModuleType) -> None:
    exchange = taking(http_exchange)
    exchange.send(ANNOUNCED)
    exchange.send(body(b"abc"))
    with pytest.raises(MessageError, match="trailers are due"):
        exchange.send(body(b"more"))
    assert exchange.send(trailers()) == [b"()|"]


def test_an_end_without_trailers_is_none(http_exchange: ModuleType) -> None:
    exchange = taking(http_exchange)
    exchange.send(ANNOUNCED)
    exchange.send(body(b"abc"))
    assert not exchange.needs_error_response()
    assert exchange.abort()


def test_hints(http_exchange: ModuleType) -> None:
    exchange, _ = make(http_exchange)
    assert exchange.send(HINT) == [b"ab"]
    assert exchange.state == http_exchange.AWAITING_START
    exchange.send(OK)
    assert exchange.send(HINT) == [b"ab"]
    assert exchange.send({"type": "http.response.early_hint"}) == []
    assert exchange.send(body(b"x", more=True)) == [b"<200>", b"x"]
    with pytest.raises(MessageError, match="after the response has begun"):
        exchange.send(HINT)


def test_a_hint_for_nobody(http_exchange: ModuleType) -> None:
    exchange, _ = make(http_exchange)
    exchange.disconnect()
    with pytest.raises(ClientDisconnected):
        exchange.send(HINT)
