"""The lines between supervisor and workers."""

from __future__ import annotations

import socket

import pytest

from esg.config import Config
from esg.supervisor.control import Lines, config_of, config_text, line, messages


def test_lines_come_in_any_pieces() -> None:
    lines = Lines()
    sent = line(serving="pure\non trio", reason="é") + line(enough="it is old")
    found = [message for i in range(len(sent)) for message in lines.feed(sent[i : i + 1])]
    assert found == [{"serving": "pure\non trio", "reason": "é"}, {"enough": "it is old"}]


@pytest.mark.parametrize("data", [b"no json\n", b"[1]\n", b"x" * (1 << 21)])
def test_what_is_no_message(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"message|Expecting"):
        list(Lines().feed(data))


def test_messages_end_with_the_stream() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            theirs.sendall(line(retire=True))
        assert list(messages(ours)) == [{"retire": True}]


def test_a_configuration_arrives_as_it_was() -> None:
    config = Config("example:app", workers=3, header=(("A", "b"),), log_config={"version": 1})
    assert config_of(config_text(config)) == config
