"""Mistakes of users' that both type checkers are to find.

Each checker reports a comment that keeps it silent where there is nothing to report.
"""

from __future__ import annotations

import esg
from esg import testing


def mistakes() -> None:
    """Be read, never called."""
    esg.Config("a:b", prot=80)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    esg.Config("a:b", port="80")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    esg.Config("a:b", impl="slow")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    config = esg.Config("a:b")
    config.port = 80  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue]
    esg.Server("a:b")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    esg.no_such_name  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue] # noqa: B018
    testing.validate("a:b")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
