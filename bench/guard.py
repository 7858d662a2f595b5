"""Hold the fast driver to the instructions that it needs: `python bench/guard.py --help`.

Times vary with the machine and its neighbours, the instructions of a program hardly do. A server runs
under callgrind; each load is put N and then 2N times, and the difference of the two counts is what N
of it cost, with nothing of the start and of the marks in it. What is done once a second, whatever the
load, only ever adds: so of several counts the least is taken. Counts depend on the compiler, on Python
and on the packages: so what they are compared with is built and measured in the same run, by the same
interpreter, in a worktree of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import apps
from environment import BENCH, CHECKOUT, PROGRAMS, compile_program
from live_server import Place, free_port
from scenarios import BROWSER_REQUEST, HttpScenario, request
from servers import PLAIN
from tables import table
from websocket_frames import Client, Message

TOLERANCE = 0.03
REQUESTS, REPETITIONS = 200, 3
WORKTREE = CHECKOUT / ".cache" / "guard"
START_TIMEOUT, STOP_TIMEOUT, ANSWER_TIMEOUT = 300.0, 120.0, 120.0
POLL_INTERVAL = 0.1
TOTALS = re.compile(r"^(?:totals|summary): (\d+)", re.MULTILINE)
# That a load leaves: one before it, and one behind each time that it is put.
MARKS = 1 + 2 * REPETITIONS
# What an object's place in memory or in a hash table would otherwise change from run to run.
FIXED = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
LOADS: Mapping[str, HttpScenario | Message] = {
    "hello": HttpScenario(name="", title="", app=""),
    "10 browser headers": HttpScenario(name="", title="", app="", request=BROWSER_REQUEST),
    "16 pipelined": HttpScenario(name="", title="", app="", pipelined=16),
    "POST 1 KiB": HttpScenario(
        name="",
        title="",
        app="",
        request=request("POST", "/", b"x" * 1024),
        answer=b"x" * 1024,
    ),
    "WebSocket, 32 bytes": Message(32),
}


class GuardError(Exception):
    """Something that the guard needs is missing or failed; the text says what."""


@dataclass(frozen=True)
class Verdict:
    """One load: the instructions before and now."""

    load: str
    before: float
    now: float

    @property
    def change(self) -> float:
        """Return by which share it costs more."""
        return self.now / self.before - 1


def exceeded(verdicts: Sequence[Verdict], tolerance: float) -> list[Verdict]:
    """Return those that cost more than is tolerated."""
    return [verdict for verdict in verdicts if verdict.change > tolerance]


def report(verdicts: Sequence[Verdict], tolerance: float) -> str:
    """Return a table of them."""
    rows = [
        [
            verdict.load,
            f"{verdict.before:,.0f}",
            f"{verdict.now:,.0f}",
            f"{verdict.change:+.1%}" + (" **too much**" if verdict.change > tolerance else ""),
        ]
        for verdict in verdicts
    ]
    return table(["instructions for each", "before", "now", "change"], rows)


def git(*words: str) -> str:
    """Run git in the checkout and return what it says.

    Raises:
        GuardError: It failed.
    """
    done = subprocess.run(
        ["git", "-C", str(CHECKOUT), *words], check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise GuardError(f"git {words[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


def default_base() -> str:
    """Return what to compare with: where a branch left main, else the last release, else HEAD~1.

    Changes that are not committed are compared with HEAD.

    Raises:
        GuardError: There is nothing.
    """
    head = git("rev-parse", "HEAD")
    if git("status", "--porcelain", "--untracked-files=no", "esg", "build_accel"):
        return head
    for find in (("merge-base", "HEAD", "origin/main"), ("describe", "--tags", "--abbrev=0")):
        with contextlib.suppress(GuardError):
            found = git("rev-parse", f"{git(*find)}^{{commit}}")
            if found != head:
                return found
    return git("rev-parse", "HEAD~1")


def check_out(commit: str) -> Path:
    """Have a commit in the guard's worktree, built."""
    if not (WORKTREE / ".git").exists():
        git("worktree", "prune")
        git("worktree", "add", "--force", "--detach", str(WORKTREE), commit)
    subprocess.run(
        ["git", "-C", str(WORKTREE), "checkout", "--force", "--quiet", "--detach", commit],
        check=True,
    )
    # Its C sources are the same: they need not be downloaded again.
    vendored = CHECKOUT / "build"
    if vendored.exists() and not (WORKTREE / "build").exists():
        shutil.copytree(vendored, WORKTREE / "build", ignore=shutil.ignore_patterns("temp.*"))
    build(WORKTREE)
    return WORKTREE


def build(tree: Path) -> None:
    """Compile the fast driver in a tree.

    Raises:
        GuardError: It cannot be compiled.
    """
    done = subprocess.run(
        [sys.executable, "setup.py", "-q", "build_ext", "--inplace"],
        cwd=tree,
        env={**os.environ, "ESG_ACCEL": "require"},
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise GuardError(f"{tree} cannot be compiled: {done.stderr[-2000:]}")


def compile_marks() -> Path:
    """Compile what sets the marks, and return the library.

    Raises:
        GuardError: It cannot be compiled, or there is no valgrind.
    """
    if shutil.which("valgrind") is None:
        raise GuardError("valgrind is not installed: `apt-get install valgrind`")
    library = PROGRAMS / "callgrind_marks.so"
    reason = compile_program(
        BENCH / "callgrind_marks.c", library, flags=("-O2", "-shared", "-fPIC")
    )
    if reason is not None:
        raise GuardError(reason)
    return library


@contextlib.contextmanager
def served(tree: Path, marks: Path, folder: Path) -> Iterator[Place]:
    """Run the server of a tree under callgrind while the body runs; its counts go to a folder.

    Raises:
        GuardError: It does not start.
    """
    place = Place(free_port(), folder / "unused", PLAIN)
    paths = os.pathsep.join([str(tree), str(BENCH)])
    variables = {**os.environ, **FIXED, "PYTHONPATH": paths, "ESG_GUARD_MARKS": str(marks)}
    command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--quiet"]
    command += [f"--callgrind-out-file={folder}/counts", sys.executable, "-m", "esg"]
    command += ["guard_app:app", "--port", str(place.port), "--impl", "fast", "--loop", "uvloop"]
    command += ["--no-access-log", "--log-level", "warning", "--timeout-keep-alive", "600"]
    log = folder / "log"
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + START_TIMEOUT
        while not place.is_listened_to():
            if process.poll() is not None or time.monotonic() > deadline:
                raise GuardError(f"the server of {tree} does not start: {log.read_text()[-2000:]}")
            time.sleep(POLL_INTERVAL)
        yield place
    finally:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def put(place: Place, load: HttpScenario | Message) -> Generator[None]:
    """Put a load once for each time that it is asked for, on one connection."""
    if isinstance(load, Message):
        with contextlib.closing(Client(place.port, load)) as client:
            client.open()
            while True:
                client.send()
                client.receive()
                yield
    with contextlib.closing(place.connect()) as plain:
        plain.settimeout(ANSWER_TIMEOUT)
        one = len(_answer(plain, load.request, load.answer))
        while True:
            plain.sendall(load.request * load.pipelined)
            _receive(plain, one * load.pipelined)
            yield


def _answer(client: socket.socket, sent: bytes, body: bytes) -> bytes:
    """Send a request, and return its whole answer, which has to end in a body."""
    client.sendall(sent)
    answer = b""
    while not answer.endswith(b"\r\n\r\n" + body):
        answer += _receive(client, 1)
    return answer


def _receive(client: socket.socket, size: int) -> bytes:
    """Receive so many bytes.

    Raises:
        GuardError: The server closed the connection.
    """
    received = b""
    while len(received) < size:
        data = client.recv(size - len(received))
        if not data:
            raise GuardError("the server closed the connection")
        received += data
    return received


def ask(place: Place, path: str) -> None:
    """Send a request on a connection of its own."""
    marked = HttpScenario(name="", title="", app="", request=request("GET", path))
    with contextlib.closing(place.connect()) as client:
        client.settimeout(ANSWER_TIMEOUT)
        _answer(client, marked.request, apps.HELLO)


def count(tree: Path, marks: Path, number: int) -> dict[str, float]:
    """Return the instructions of one unit of every load, on the server of a tree."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with served(tree, marks, folder) as place:
            ask(place, "/begin")
            for load in LOADS.values():
                steps = put(place, load)
                _take(steps, number)  # Caches of all kinds are warm now.
                ask(place, "/mark")
                for times in (1, 2) * REPETITIONS:
                    _take(steps, number * times)
                    ask(place, "/mark")
                steps.close()
        return per_unit(dumped(folder), number)


def _take(steps: Iterator[None], number: int) -> None:
    for _ in range(number):
        next(steps)


def dumped(folder: Path) -> list[int]:
    """Return what callgrind has counted up to each mark, in their order.

    Raises:
        GuardError: There are not as many as there should be.
    """
    files = sorted(folder.glob("counts.*"), key=lambda file: int(file.suffix[1:]))
    totals = [int(match[1]) for file in files if (match := TOTALS.search(file.read_text()))]
    if len(totals) < MARKS * len(LOADS):
        raise GuardError(f"callgrind has written {len(totals)} counts")
    return totals


def per_unit(totals: Sequence[int], number: int) -> dict[str, float]:
    """Return what one unit of each load cost.

    Args:
        totals: For each load a count of what came before, then those of N and of 2N in turn.
        number: N.
    """
    costs = {}
    for index, name in enumerate(LOADS):
        counts = totals[MARKS * index + 1 : MARKS * (index + 1)]
        costs[name] = (min(counts[1::2]) - min(counts[0::2])) / number
    return costs


def compare(before: Mapping[str, float], now: Mapping[str, float]) -> list[Verdict]:
    """Return a verdict on every load."""
    return [Verdict(name, before[name], now[name]) for name in before]


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="bench/guard.py",
        description="Compare the instructions of the fast driver with those of another commit.",
    )
    parser.add_argument(
        "--base", default="", help="a commit (default: merge base, or last release)"
    )
    parser.add_argument("--requests", type=int, default=REQUESTS, help=f"N (default: {REQUESTS})")
    parser.add_argument(
        "--tolerance", type=float, default=TOLERANCE, help=f"a share (default: {TOLERANCE})"
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the guard; return 1 if a load costs too much, 3 if it cannot be told."""
    options = parse_arguments(arguments)
    try:
        base = git("rev-parse", f"{options.base}^{{commit}}") if options.base else default_base()
        marks = compile_marks()
        build(CHECKOUT)
        say = print_to_stderr
        say(f"building {git('log', '-1', '--format=%h %s', base)}")
        tree = check_out(base)
        say("counting there")
        before = count(tree, marks, options.requests)
        say("counting here")
        verdicts = compare(before, count(CHECKOUT, marks, options.requests))
    except GuardError as error:
        print_to_stderr(str(error))
        return 3
    print(f"compared with {git('log', '-1', '--format=%h of %cs: %s', base)}\n")
    print(report(verdicts, options.tolerance))
    return int(bool(exceeded(verdicts, options.tolerance)))


def print_to_stderr(text: str) -> None:
    """Tell the person who waits."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
