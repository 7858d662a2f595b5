"""The sample in deploy/container: that it can be built, and that its health check tells the truth."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

import pytest

from esg.settings import collect
from tests.conftest import Serve
from tests.ports import free_port
from tests.server import REPOSITORY, environment

FOLDER = REPOSITORY / "deploy" / "container"
CONTAINERFILE = FOLDER / "Containerfile"


def instructions() -> list[tuple[str, str]]:
    """Return the instructions with their arguments, comments left out and lines joined."""
    text = re.sub(r"^#.*\n", "", CONTAINERFILE.read_text("utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    parted = (line.partition(" ") for line in lines if line)
    return [(name, arguments) for name, _, arguments in parted]


def arguments_of(name: str) -> list[str]:
    return [arguments for found, arguments in instructions() if found == name]


def copied() -> list[str]:
    """Return the paths that are copied out of the repository."""
    copies = [shlex.split(arguments) for arguments in arguments_of("COPY")]
    return [path for *paths, _ in copies if not paths[0].startswith("--from") for path in paths]


def variables() -> dict[str, str]:
    return dict(pair.split("=") for text in arguments_of("ENV") for pair in shlex.split(text))


def test_hadolint_finds_nothing() -> None:
    program = Path(sysconfig.get_path("scripts")) / "hadolint"
    if sys.platform != "linux":
        pytest.skip("hadolint is installed on Linux")
    done = subprocess.run(
        [program, "--no-color", CONTAINERFILE], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_every_path_is_there_and_in_the_context() -> None:
    assert {"esg", "build_accel", "pyproject.toml"} <= set(copied())
    ignored = (FOLDER / "Containerfile.dockerignore").read_text("utf-8").splitlines()
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    assert let_in == set(copied())
    assert all((REPOSITORY / path).exists() for path in copied())


def test_the_build_has_every_file_that_it_names() -> None:
    """What pyproject.toml and setup.py read is copied: else the build ends in the image alone."""
    text = (REPOSITORY / "pyproject.toml").read_text("utf-8")
    read = {"pyproject.toml", "setup.py", "README.md", "LICENSE", "LICENSE.llhttp"}
    assert all(name in text for name in read - {"pyproject.toml", "setup.py"})
    assert read <= set(copied())


def test_the_build_is_thrown_away_and_nobody_is_root() -> None:
    stages = arguments_of("FROM")
    assert [fnmatch(stage, "*/python:${PYTHON}-slim*") for stage in stages] == [True, True]
    assert stages[0].endswith(" AS build")
    (user,) = arguments_of("USER")
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)
    names = [name for name, _ in instructions()]
    assert names.index("USER") > max(i for i, name in enumerate(names) if name == "RUN")


def test_its_variables_are_settings_of_esg() -> None:
    config = collect({}, variables(), None).config()
    assert (config.host, str(config.port)) == ("0.0.0.0", arguments_of("EXPOSE")[0])
    assert json.loads(arguments_of("ENTRYPOINT")[0]) == ["esg"]


def check_health(**changes: str) -> subprocess.CompletedProcess[str]:
    """Run the health check as the image does."""
    (arguments,) = arguments_of("HEALTHCHECK")
    command = json.loads(arguments[arguments.index("[") :])
    assert command == ["python", "/usr/local/lib/esg/healthcheck.py"]
    assert f"COPY deploy/container/healthcheck.py {command[1]}" in CONTAINERFILE.read_text("utf-8")
    return subprocess.run(
        [sys.executable, "-I", FOLDER / "healthcheck.py"],
        env=environment({**variables(), **changes}),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_health(serve: Serve, write_module: Callable[[str, str], Path]) -> None:
    server = serve(app=variables()["ESG_APP"])
    assert check_health(ESG_PORT=str(server.port)).returncode == 0
    folder = write_module("unwell", "async def app(scope, receive, send):\n    raise ValueError\n")
    unwell = serve("--app-dir", str(folder), app="unwell:app")
    assert check_health(ESG_PORT=str(unwell.port)).returncode == 1
    nobody = check_health(ESG_PORT=str(free_port()))
    assert nobody.returncode == 1
    assert nobody.stderr.startswith("no answer on port ")
