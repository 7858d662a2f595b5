"""Make the archives of a release, look at them, and try them; see CONTRIBUTING.md."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from build_accel import extensions
from release import archives, contents, trial, version
from tests.interpreters import Interpreter, find_interpreters, prepare

REPOSITORY = archives.REPOSITORY
CHANGELOG = REPOSITORY / "CHANGELOG.md"


def main() -> int:
    """Do what the command line says; return 1 where something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m release")
    commands = parser.add_subparsers(dest="command", required=True)
    for command, text in (
        ("build", "make the archives of what is committed"),
        ("check", "look at archives, install each into an empty environment, and serve by it"),
    ):
        added = commands.add_parser(command, help=text)
        added.add_argument("--folder", type=Path, default=REPOSITORY / "dist", help="(dist)")
        added.add_argument("--only", nargs="+", metavar="NAME", help="such as cpython3.12")
    agree = commands.add_parser("version", help="check that version, changelog and tag agree")
    agree.add_argument("tag", nargs="?", help="such as v1.2.3; none between releases")
    commands.add_parser("notes", help="print what the changelog says of the version")
    options = parser.parse_args()
    if options.command == "notes":
        print(version.notes(CHANGELOG.read_text("utf-8")), end="")
        return 0
    if options.command == "version":
        return _told(_faults_of_version(options.tag))
    found = [i for i in find_interpreters() if options.only is None or i.name in options.only]
    folder = options.folder.resolve()
    return _build(folder, found) if options.command == "build" else _check(folder, found)


def _faults_of_version(tag: str | None) -> Iterator[str]:
    return version.faults(version.version_of(REPOSITORY), CHANGELOG.read_text("utf-8"), tag)


def _told(faults: Iterator[str]) -> int:
    found = list(faults)
    for fault in found:
        print(fault, file=sys.stderr)
    return 1 if found else 0


def _build(folder: Path, interpreters: list[Interpreter]) -> int:
    if archives.run("git", "status", "--porcelain"):
        print("Changes that are not committed are left out.")
    cpythons = [i for i in interpreters if i.implementation == "cpython"]
    print(f"Building for {', '.join(i.name for i in cpythons)} and every Python", flush=True)
    for path in archives.build(folder, cpythons):
        print(path.name)
    return 0


def _check(folder: Path, interpreters: list[Interpreter]) -> int:
    made = sorted(folder.iterdir())
    if _told(f"{path.name}: {fault}" for path in made for fault in _faults(path)):
        return 1
    archives.run(sys.executable, "-m", "twine", "check", "--strict", *made)
    for interpreter in interpreters:
        chosen = _try(folder, interpreter)
        print(f"{interpreter.name:<12} serves from {chosen}", flush=True)
    return 0


def _try(folder: Path, interpreter: Interpreter) -> str:
    compiled = interpreter.implementation == "cpython"
    expects = "fast: it is built" if compiled else "pure on asyncio"
    python = interpreter.executable or prepare(interpreter).interpreter.executable
    assert python is not None
    return trial.try_out(folder, version.version_of(REPOSITORY), python, expects)


def _faults(archive: Path) -> Iterator[str]:
    files = contents.read(archive)
    number = version.version_of(REPOSITORY)
    tracked = set(archives.run("git", "ls-tree", "-r", "--name-only", "HEAD").splitlines())
    if archive.suffix != ".whl":
        return contents.faults_of_sdist(archive.name, files, number, tracked)
    modules = [name.replace(".", "/") for name in extensions.sources(REPOSITORY)]
    package = {path for path in tracked if path.startswith("esg/") and path.endswith(".py")}
    return contents.faults_of_wheel(archive.name, files, number, modules, package)


if __name__ == "__main__":
    sys.exit(main())
