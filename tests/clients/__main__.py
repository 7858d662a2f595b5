"""Run clients on rows and print a table: `python -m tests.clients pure-trio --only ab httpx`."""

from __future__ import annotations

import argparse
import sys
import time

from tests.clients.kinds import KINDS, Kind
from tests.clients.load import Load
from tests.clients.test_kinds import APP
from tests.rows import ROWS, Row
from tests.server import ServerProcess


def main() -> int:
    """Run each client on each row; return 1 if one has reported an error."""
    parser = argparse.ArgumentParser(prog="python -m tests.clients")
    parser.add_argument("rows", nargs="*", default=[row.id for row in ROWS])
    parser.add_argument("--only", nargs="+", default=[kind.name for kind in KINDS])
    parser.add_argument("--requests", type=int, default=10_000)
    options = parser.parse_args()
    failed = 0
    for row in (row for row in ROWS if row.id in options.rows):
        for kind in (kind for kind in KINDS if kind.name in options.only):
            failed += _run(row, kind, options.requests)
    return 1 if failed else 0


def _run(row: Row, kind: Kind, requests: int) -> bool:
    options = ("--port", "0", "--no-access-log", "--timeout-keep-alive", str(kind.keep_alive))
    server = ServerProcess([*row.options, *options, APP])
    server.wait_started()
    started = time.monotonic()
    error = ""
    try:
        right = kind.run(Load(server.url, requests // 2, (kind.outlasting,)))
    except Exception as caught:
        right, error = 0, f"{type(caught).__name__}: {caught}"[-300:]
    seconds = time.monotonic() - started
    server.end()
    print(f"{row.id:<13} {kind.name:<12} {right:>6} right, {seconds:5.1f} s  {error}", flush=True)
    return right < requests // 2 * 2


if __name__ == "__main__":
    sys.exit(main())
