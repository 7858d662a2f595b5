"""The environment that the sites run in: the pinned frameworks, apart from what the tests need.

ESG is not installed there but imported from the working tree, so one environment serves every
change of it; its name tells the pins and the interpreter.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.interpreters.discovery import Interpreter
from tests.interpreters.environment import REPOSITORY, create, key, locked, requirements

FOLDER = REPOSITORY / ".cache" / "ecosystem"
WANTED = Path(__file__).with_name("requirements.in")
PINS = Path(__file__).with_name("requirements.txt")
HEADER = "# Written by `make ecosystem-pins` from requirements.in; do not edit.\n"


def pins() -> list[str]:
    """List what is installed, each in one version."""
    return [line for line in PINS.read_text("utf-8").splitlines() if not line.startswith("#")]


def prepare() -> Path:
    """Return the environment's interpreter; make the environment if there is none yet.

    Raises:
        subprocess.CalledProcessError: it cannot be made here.
    """
    running = Interpreter.running()
    folder = FOLDER / f"{running.name}-{key(running, pins())}"
    with locked("ecosystem"):
        if not (folder / "complete").exists():
            create(running, folder, pins())
    return folder / "bin" / "python"


def pin() -> None:
    """Write the newest versions that get along with each other into requirements.txt."""
    ours = requirements(REPOSITORY / "pyproject.toml", "trio")
    with tempfile.TemporaryDirectory() as made:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", made], check=True)
        pip = [sys.executable, "-m", "pip", "--python", f"{made}/bin/python"]
        subprocess.run([*pip, "install", "--quiet", "--requirement", WANTED, *ours], check=True)
        frozen = subprocess.run([*pip, "freeze"], check=True, capture_output=True, text=True)
    PINS.write_text(HEADER + frozen.stdout, "utf-8")


if __name__ == "__main__":
    pin()
