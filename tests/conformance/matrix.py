"""Run the suite on every server and write docs/conformance.md: `make conformance-peers`.

One page holds the matrix, server by group, for each level of requirement; each server that
failed somewhere has a page with every failure and its transcript. Pages are made of the JSON
documents that the runs leave in .cache/conformance, and of nothing else.
"""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conformance import peers
from tests.conformance.cases import ALL_CASES, GROUPS
from tests.conformance.model import Level
from tests.conformance.report import visible
from tests.conformance.targets import REPOSITORY, Target, own_targets

DOCUMENTS = REPOSITORY / ".cache" / "conformance"
PAGE = REPOSITORY / "docs" / "conformance.md"
PAGES = REPOSITORY / "docs" / "conformance"
# A server that hangs in every case must not hold up the others.
RUN_BOUND = 3600.0
LONGEST_SHOWN = 1200

Run = dict[str, Any]

INTRODUCTION = """\
# Who conforms

<!-- Written by `make conformance-peers`; do not edit. -->

What each server does in the cases of [tests/conformance](../tests/conformance), which say what
RFC 9110, RFC 9112, RFC 6455 and the ASGI specification demand of an ASGI server. A case is put to
a server whole, and a second time with every octet in a segment of its own; it is passed if both
runs are. [How to run the suite on your own server](running-conformance.md).

The cases that need an option of ESG's command line, such as a limit or a timeout, are put to ESG
alone and not counted here. What a server does not offer, it is not asked for: WebSocket, an
extension, the lifespan, HTTP/1.0; its page says what that was.

A case is no weight: one check that a server does not make fails every case about it, and thirty are
about the form of Host alone. Each server runs with its defaults, in the version below. A case that
is unfair to one is a bug of the suite, and reports are welcome.
"""
MEANING = {
    Level.MUST: "What the specifications demand.",
    Level.SHOULD: "What they recommend.",
    Level.CHOICE: (
        "Where the specifications are open. These cases are ESG's decisions, and no others: the "
        "table says how often another server has decided alike. To decide otherwise is no failure."
    ),
}


@dataclass
class Verdict:
    """One case on one server, over all modes."""

    runs: list[Run] = field(default_factory=list)

    @property
    def first(self) -> Run:
        """The first run that was not passed, or the first."""
        return next((run for run in self.runs if run["result"] != "passed"), self.runs[0])

    @property
    def passed(self) -> bool:
        """Whether it passed in every mode."""
        return bool(self.first["result"] == "passed")

    @property
    def failed(self) -> bool:
        """Whether it failed in a mode: another choice is no failure."""
        return any(run["result"] == "failed" for run in self.runs)


@dataclass(frozen=True)
class Server:
    """One server and its results."""

    id: str
    version: str
    command: str
    verdicts: tuple[Verdict, ...]
    not_asked: tuple[Run, ...] = ()

    def score(self, level: Level, group: str | None = None) -> str:
        """Return "passed/total" of a level, in a group or in all."""
        asked = [
            verdict.passed
            for verdict in self.verdicts
            if verdict.first["level"] == level.value and group in (None, verdict.first["group"])
        ]
        return f"{sum(asked)}/{len(asked)}" if asked else ""

    @property
    def failures(self) -> list[Verdict]:
        """The cases that it failed."""
        return [verdict for verdict in self.verdicts if verdict.failed]

    @property
    def differences(self) -> list[Verdict]:
        """The cases in which it has chosen otherwise than ESG."""
        return [v for v in self.verdicts if not v.failed and not v.passed]


def verdicts(runs: Iterable[Run]) -> tuple[Verdict, ...]:
    """Bring the runs of each case together."""
    found: dict[str, Verdict] = {}
    for run in runs:
        found.setdefault(run["case"], Verdict()).runs.append(run)
    return tuple(found.values())


def _linked(server: Server) -> str:
    """Name a server, with its page if it has one."""
    return f"[{server.id}](conformance/{server.id}.md)" if server.failures else server.id


def summary(servers: Iterable[Server]) -> Iterator[str]:
    """Write how much of each level every server meets."""
    yield f"| server | version | {' | '.join(level.value for level in Level)} |"
    yield "|---" * (len(Level) + 2) + "|"
    for server in servers:
        scores = " | ".join(server.score(level) for level in Level)
        yield f"| {_linked(server)} | {server.version} | {scores} |"


def table(servers: list[Server], level: Level) -> Iterator[str]:
    """Write the matrix of one level, a line for each group that has cases of it."""
    yield f"| group | {' | '.join(server.id for server in servers)} |"
    yield "|---" * (len(servers) + 1) + "|"
    for group in GROUPS:
        scores = [server.score(level, group) for server in servers]
        if any(scores):
            yield f"| {group} | {' | '.join(score or '-' for score in scores)} |"


def overview(servers: list[Server]) -> str:
    """Write the page of the matrix."""
    lines = [INTRODUCTION, *summary(servers), ""]
    for level in Level:
        lines += [f"## {level.value}", "", MEANING[level], "", *table(servers, level), ""]
    lines += ["## How each was run", "", "| server | command |", "|---|---|"]
    lines += [f"| {server.id} | `{server.command}` |" for server in servers]
    python = f"{platform.python_implementation()} {platform.python_version()}"
    lines += ["", f"All on {python}, {platform.system()}.", ""]
    return "\n".join(lines)


def page(server: Server) -> str:
    """Write the page of one server: every failure with its transcript, every other choice."""
    lines = [
        f"# {server.id}: {server.version}",
        "",
        "<!-- Written by `make conformance-peers`; do not edit. -->",
        "",
        f"`{server.command}`",
        "",
        *(f"- {level.value}: {server.score(level)} as expected" for level in Level),
        *(f"- not asked ({reason}): {count}" for reason, count in _not_asked(server)),
        "",
        "## Failures",
        "",
    ]
    for verdict in server.failures:
        lines += _failure(verdict)
    lines += ["## Other choices than ESG's", ""]
    for verdict in server.differences:
        run = verdict.first
        lines.append(f"- `{run['case']}` ({run['says']}): {_code(run['problems'][0])}")
    return "\n".join([*lines, ""])


def _not_asked(server: Server) -> list[tuple[str, int]]:
    """Count the cases that were not put to a server, by the reason."""
    reasons = {run["case"]: run.get("because", "") for run in server.not_asked}
    return sorted(Counter(reasons.values()).items())


def _failure(verdict: Verdict) -> Iterator[str]:
    run = verdict.first
    modes = " and ".join(r["mode"] for r in verdict.runs if r["result"] == "failed")
    yield f"### {run['case']}"
    yield ""
    yield f"{run['level']}, {run['clause']}: {run['says']}. Failed {modes}."
    yield ""
    yield from (f"- {_code(problem)}" for problem in run["problems"])
    yield ""
    yield "```text"
    for connection in run["connections"]:
        yield f"> sent on {connection['name']} ({connection['sent']['size']} octets)"
        yield _octets(connection["sent"])
        ended = connection["ended"]
        yield f"< received ({connection['received']['size']} octets; by the server: {ended})"
        yield _octets(connection["received"])
    for call in run["calls"]:
        yield f"application, on {call['on']}"
        yield from (f"    {entry}" for entry in call["trace"][:20])
    yield "```"
    yield ""
    yield f"    {run['reproduce']}"
    yield ""


def _code(text: str) -> str:
    """Quote what may hold any character."""
    return f"`{text.replace('`', chr(39))[:300]}`"


def _octets(told: dict[str, Any]) -> str:
    shown = visible(told["latin1"].encode("latin-1")[:LONGEST_SHOWN])
    cut = "\n..." if told["size"] > LONGEST_SHOWN else ""
    return "\n".join(f"    {line}" for line in (shown + cut).splitlines())


def run_on(target: str) -> Path | None:
    """Run the suite on one target; return its document, None if there is none."""
    document = DOCUMENTS / f"{target}.json"
    document.unlink(missing_ok=True)
    sys.stderr.write(f"running the cases on {target}\n")
    asked = [sys.executable, "-m", "pytest", "tests/conformance/test_conformance.py", "-q"]
    with (DOCUMENTS / f"{target}.log").open("w") as log:
        subprocess.run(
            [*asked, "--tb=no", "--target", target, "--json", str(document)],
            cwd=REPOSITORY,
            stdout=log,
            stderr=log,
            check=False,
            timeout=RUN_BOUND,
        )
    return document if document.exists() else None


def _own_rows() -> list[Target]:
    """Return ESG's rows on this interpreter, without TLS, as the peers are."""
    return [t for t in own_targets() if t.interpreter is None and not t.secure]


def _installed() -> list[peers.Peer]:
    return [peer for peer in peers.PEERS if peer.missing is None]


def gather() -> list[Server]:
    """Read the documents of all servers that have one, ESG's rows first."""
    ours = [(t.id, "ESG", " ".join(t.command)) for t in _own_rows()]
    others = [(p.id, p.version(), p.command) for p in _installed()]
    open_to_all = {case.id for case in ALL_CASES if case.open_to_all}
    servers = []
    for name, version, command in (*ours, *others):
        path = DOCUMENTS / f"{name}.json"
        if path.exists():
            runs = json.loads(path.read_text("utf-8"))["runs"]
            runs = [run for run in runs if run["case"] in open_to_all]
            put = [run for run in runs if run["result"] != "inapplicable"]
            left = tuple(run for run in runs if run["result"] == "inapplicable")
            servers.append(Server(name, version, command, verdicts(put), left))
    return servers


def write_pages() -> None:
    """Write the pages from the documents."""
    servers = gather()
    shutil.rmtree(PAGES, ignore_errors=True)
    PAGES.mkdir(parents=True)
    for server in servers:
        if server.failures:
            (PAGES / f"{server.id}.md").write_text(_anywhere(page(server)), "utf-8")
    PAGE.write_text(_anywhere(overview(servers)), "utf-8")


def _anywhere(text: str) -> str:
    """Take this machine's folder out of what servers have said, such as a traceback."""
    return text.replace(str(REPOSITORY), "...")


def main() -> int:
    """Install the peers, run the cases on them and on ESG, write the pages.

    Arguments name the targets to run again; without any, all are run.
    """
    DOCUMENTS.mkdir(parents=True, exist_ok=True)
    not_installed = peers.install()
    ours = [target.id for target in _own_rows()]
    targets = sys.argv[1:] or [*ours, *(peer.id for peer in _installed())]
    without = [target for target in targets if run_on(target) is None]
    write_pages()
    for name in (*not_installed, *without):
        sys.stderr.write(f"without results: {name}\n")
    return 1 if not_installed or without else 0


if __name__ == "__main__":
    sys.exit(main())
