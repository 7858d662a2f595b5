"""The inputs of each target: seeds out of the conformance cases, and what fuzzing has found.

What was found is kept in the tree, one input a line as a literal of Python, so that a change of
one is seen in a diff.
"""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Iterable
from hashlib import sha1
from pathlib import Path

from tests.fuzzing.seeds import seeds

FOLDER = Path(__file__).parent / "corpus"


def found(name: str) -> list[bytes]:
    """Return what fuzzing has found for a target."""
    path = _path(name)
    if not path.exists():
        return []
    return [literal_eval(line) for line in path.read_text("ascii").splitlines()]


def inputs(name: str) -> list[bytes]:
    """Return all inputs that a target must bear."""
    return list(dict.fromkeys([*seeds(name), *found(name)]))


def add(name: str, new: Iterable[bytes]) -> None:
    """Keep more inputs of a target; the small ones first."""
    known = set(seeds(name))
    kept = {data for data in (*found(name), *new) if data not in known}
    lines = [f"{data!r}\n" for data in sorted(kept, key=lambda data: (len(data), data))]
    FOLDER.mkdir(exist_ok=True)
    _path(name).write_text("".join(lines), "ascii")


def write(name: str, folder: Path) -> None:
    """Write the inputs of a target as the files that libFuzzer reads."""
    for data in inputs(name):
        (folder / sha1(data, usedforsecurity=False).hexdigest()).write_bytes(data)


def _path(name: str) -> Path:
    return FOLDER / f"{name}.txt"
