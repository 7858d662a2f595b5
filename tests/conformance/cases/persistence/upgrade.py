"""Offers to change the protocol that nobody takes up."""

from __future__ import annotations

from typing import Any

from tests.conformance.behaviours import HELLO, READ_AND_ECHO, READ_BODY
from tests.conformance.cases.build import accepted, case, get, hello, ok, post
from tests.conformance.cases.persistence.build import CLOSE
from tests.conformance.model import Call, Case

UPGRADE = "RFC 9110 section 7.8"


def _upgrade() -> list[Case]:
    def ignored(name: str, says: str, *fields: bytes, **details: Any) -> Case:
        return accepted(f"upgrade-{name}", 84, UPGRADE, says, get(b"/", *fields), **details)

    return [
        ignored(
            "unknown", "an unknown protocol is ignored", b"Connection: upgrade", b"Upgrade: foo/1"
        ),
        ignored(
            "h2c",
            "h2c is ignored",
            b"Connection: Upgrade, HTTP2-Settings",
            b"Upgrade: h2c",
            b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
            esg_only=True,
        ),
        ignored("tls", "upgrading to TLS is ignored", b"Connection: upgrade", b"Upgrade: TLS/1.0"),
        ignored(
            "without-connection",
            "Upgrade without its connection option is nothing",
            b"Upgrade: foo",
        ),
        ignored(
            "option-without-field", "the connection option alone is nothing", b"Connection: upgrade"
        ),
        accepted(
            "upgrade-with-content",
            84,
            UPGRADE,
            "an ignored upgrade may have content",
            post(b"hello", b"Connection: upgrade", b"Upgrade: foo"),
            app=(READ_AND_ECHO,),
            responses=(ok(b"hello"),),
            calls=(Call(body=b"hello"),),
        ),
        accepted(
            "upgrade-pipelined",
            84,
            UPGRADE,
            "what follows an ignored upgrade is a request",
            get(b"/1", b"Connection: upgrade", b"Upgrade: foo") + get(b"/2"),
            responses=(hello(), hello()),
            calls=(Call(), Call()),
        ),
        case(
            "upgrade-and-close",
            84,
            UPGRADE,
            "close holds beside an ignored upgrade",
            get(b"/", b"Connection: upgrade, close", b"Upgrade: foo"),
            responses=(hello(ours=CLOSE),),
            calls=(Call(),),
        ),
        accepted(
            "upgrade-options-asterisk",
            84,
            UPGRADE,
            "OPTIONS * with an upgrade",
            get(b"*", b"Connection: upgrade", b"Upgrade: foo", method=b"OPTIONS"),
            app=((READ_BODY, *HELLO),),
        ),
    ]


CASES = tuple(_upgrade())
