"""`python -m tests.hardening`: what takes too long for the tests.

`leaks`: clients of every abusive kind, by the hundred thousand, and what they leave behind.
`peers`: one hostile client of ESG and of other servers: docs/abuse-peers.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import closing
from fnmatch import fnmatch

from tests.hardening import leaks, peers
from tests.hardening.abuse import KINDS
from tests.rows import ROWS, Row
from tests.server import ServerProcess


def look_for_leaks(row: Row, count: int, kinds: str) -> int:
    """Put so many clients of each kind to one row; return how many kinds have left something."""
    leaking = 0
    server = ServerProcess([*row.options, "--port", "0", *leaks.OPTIONS, leaks.APP])
    try:
        server.wait_started()
        with closing(leaks.Watcher(server, KINDS.values())) as watcher:
            for name, abuse in KINDS.items():
                if fnmatch(name, kinds):
                    begun = time.monotonic()
                    left = watcher.left_by([abuse], count // abuse.share)
                    leaking += not left.nothing
                    verdict = "ok  " if left.nothing else "LEAK"
                    spent = time.monotonic() - begun
                    print(f"{verdict} {row.id}: {name}: {left} ({spent:.0f} s)", flush=True)
    finally:
        server.end()
    return leaking


def main() -> int:
    """Run what is asked for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.hardening", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    found = commands.add_parser("leaks", help="what abusive clients leave behind")
    found.add_argument("--count", type=int, default=100_000, help="of each kind [100000]")
    found.add_argument("--rows", default="*", help="a pattern, such as 'fast-*'")
    found.add_argument("--kinds", default="*", help="a pattern, such as '*WebSocket*'")
    attacked = commands.add_parser("peers", help="the same attacks on other servers")
    attacked.add_argument("servers", nargs="*", help="for some; the others keep their results")
    given = parser.parse_args()
    if given.command == "peers":
        for missing in peers.install():
            print(f"cannot be installed: {missing}", file=sys.stderr)
        peers.attack_all(given.servers)
        return 0
    rows = [row for row in ROWS if not row.missing and fnmatch(row.id, given.rows)]
    return min(1, sum(look_for_leaks(row, given.count, given.kinds) for row in rows))


if __name__ == "__main__":
    sys.exit(main())
