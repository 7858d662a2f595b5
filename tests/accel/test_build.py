"""What is built from the tree, with and without a compiler, and what is then installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

import esg
from build_accel import choice, extensions, llhttp_source
from release import contents
from tests.client import Response
from tests.conftest import Serve
from tests.interpreters import find_interpreters, prepare_or_skip
from tests.server import REPOSITORY, ServerProcess

pytestmark = pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="esg.accel is built on CPython alone"
)

NO_COMPILER = {"CC": "/nonexistent/cc"}
# Where what ESG needs is installed: a fresh environment borrows it.
PURELIB = sysconfig.get_path("purelib")
# On the path, this folder alone: the tree has an `esg` folder that must not be imported.
APPS = REPOSITORY / "tests/apps"
BOUND = 500.0  # seconds for one build on a busy machine


def run(
    *command: str | Path, cwd: Path, env: Mapping[str, str] | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run a step of a build with nothing of this process's own wishes."""
    own = {k: v for k, v in os.environ.items() if not k.startswith("ESG_") and k != "PYTHONPATH"}
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env={**own, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=BOUND,
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the sources as they are in a fresh clone, plus llhttp's if fetched."""
    target = tmp_path_factory.mktemp("checkout") / "esg"
    left_out = shutil.ignore_patterns("*.so", "_build_info.py", "__pycache__", ".*", "node_modules")
    for name in ("build_accel", "esg", "examples", "tests"):
        shutil.copytree(REPOSITORY / name, target / name, ignore=left_out)
    for path in REPOSITORY.iterdir():
        if path.is_file() and not path.name.startswith("."):
            shutil.copyfile(path, target / path.name)
    fetched = REPOSITORY / llhttp_source.FETCHED
    if fetched.is_dir():
        shutil.copytree(fetched, target / llhttp_source.FETCHED)
    return target


@pytest.fixture(scope="session")
def sdist(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the source distribution, unpacked."""
    out = tmp_path_factory.mktemp("sdist")
    build = (sys.executable, "-m", "build", "--no-isolation", "--sdist", "--outdir", out)
    run(*build, cwd=checkout)
    (archive,) = out.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(out, filter="data")
    return out / archive.name.removesuffix(".tar.gz")


def build_wheel(
    source: Path, out: Path, env: Mapping[str, str] | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Build a wheel where no network is: what is not in the tree is not to be had."""
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "PIP_CONFIG_FILE": os.devnull}
    pip = (sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation")
    return run(*pip, "-w", out, source, cwd=out, env={**offline, **(env or {})}, check=check)


@pytest.fixture(scope="session")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel that the source distribution makes offline."""
    out = tmp_path_factory.mktemp("wheel")
    # Not optimised: what is installed is looked at, not how fast it is.
    build_wheel(sdist, out, {"ESG_ACCEL": "require", "CFLAGS": "-O0"})
    return next(out.glob("*.whl"))


@pytest.fixture(scope="session")
def wheel_without_compiler(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel that the source distribution makes where no compiler is."""
    out = tmp_path_factory.mktemp("wheel-without-compiler")
    build_wheel(sdist, out, NO_COMPILER)
    return next(out.glob("*.whl"))


def install(wheel: Path, folder: Path) -> Path:
    """Install a wheel into a fresh environment; return the environment's folder of programs."""
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder.parent)
    pip = (sys.executable, "-m", "pip", "--python", folder / "bin/python", "install")
    run(*pip, "--no-deps", "--no-index", wheel, cwd=folder.parent)
    return folder / "bin"


def get(server: ServerProcess) -> Response:
    """Ask a server for its root."""
    with server.connect() as connection:
        return connection.get("/")


def members(wheel: Path) -> list[str]:
    """List the files of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def build_info(wheel: Path) -> dict[str, str]:
    """Run what the build wrote down in a wheel."""
    found: dict[str, str] = {}
    with zipfile.ZipFile(wheel) as archive:
        exec(archive.read("esg/accel/_build_info.py"), found)
    return found


# The source distribution.


def test_the_sdist_carries_llhttp(sdist: Path) -> None:
    vendored = sdist / llhttp_source.VENDORED
    assert {path.name for path in vendored.iterdir()} == set(llhttp_source.FILES.values())
    assert "#define LLHTTP_VERSION_MINOR 4" in (vendored / "llhttp.h").read_text()


def test_the_sdist_carries_every_source_and_nothing_made(sdist: Path) -> None:
    for source in extensions.sources(REPOSITORY).values():
        assert (sdist / source).is_file()
    pxds = {path.relative_to(REPOSITORY) for path in (REPOSITORY / "esg").rglob("*.pxd")}
    assert all((sdist / pxd).is_file() for pxd in pxds)
    assert not [*sdist.rglob("*.so"), *sdist.rglob("_build_info.py"), *sdist.rglob("*.pyc")]
    assert not (sdist / "build").exists()


# The wheel.


def test_the_wheel_has_what_it_must_and_nothing_else(wheel: Path) -> None:
    modules = [name.replace(".", "/") for name in extensions.sources(REPOSITORY)]
    package = {path.relative_to(REPOSITORY).as_posix() for path in REPOSITORY.glob("esg/**/*.py")}
    files = contents.read(wheel)
    found = contents.faults_of_wheel(wheel.name, files, esg.__version__, modules, package)
    # Only `make dist` finds out on which systems it runs.
    assert not [fault for fault in found if not fault.startswith("no index takes its tag cp")]
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    assert sum(name.endswith(suffix) for name in files) == len(modules)
    assert build_info(wheel)["REASON"] == ""


def test_an_installed_wheel_serves(wheel: Path, tmp_path: Path, serve: Serve) -> None:
    programs = install(wheel, tmp_path / "venv")
    env = {"PYTHONPATH": PURELIB}
    version = run(programs / "esg", "--version", cwd=tmp_path, env=env).stdout
    assert version.startswith("ESG ")
    assert f"llhttp {llhttp_source.VERSION}; fast: it is built" in version
    command = [str(programs / "esg"), "--app-dir", str(APPS)]
    server = serve(app="stage:app", row=None, command=command, env=env, cwd=tmp_path)
    assert get(server).status == 200
    assert "(fast on " in server.stderr.text


def test_without_a_compiler_the_wheel_is_pure(wheel_without_compiler: Path) -> None:
    names = members(wheel_without_compiler)
    assert not [name for name in names if name.endswith((".so", ".pyd"))]
    assert build_info(wheel_without_compiler)["REASON"].startswith("no working C compiler (")


def test_a_wheel_built_without_a_compiler_serves_and_says_why(
    wheel_without_compiler: Path, tmp_path: Path, serve: Serve
) -> None:
    programs = install(wheel_without_compiler, tmp_path / "venv")
    env = {"PYTHONPATH": PURELIB}
    version = run(programs / "esg", "--version", cwd=tmp_path, env=env).stdout
    why = "the fast implementation is not built: no working C compiler ("
    assert version.startswith("ESG ")
    assert why in version
    command = [str(programs / "esg"), "--app-dir", str(APPS)]
    server = serve(app="stage:app", row=None, command=command, env=env, cwd=tmp_path)
    assert get(server).status == 200
    assert len(server.stderr.matching(r"Using the pure implementation: .*no working C comp")) == 1
    asked = run(programs / "esg", "--impl", "fast", "x:y", cwd=tmp_path, env=env, check=False)
    assert asked.returncode == 3
    assert asked.stderr.startswith(f"esg: --impl fast: {why}")


def test_requiring_the_compiled_part_makes_its_lack_an_error(sdist: Path, tmp_path: Path) -> None:
    wish = {**NO_COMPILER, "ESG_ACCEL": "require"}
    failed = build_wheel(sdist, tmp_path, wish, check=False)
    assert failed.returncode != 0
    assert "ESG_ACCEL=require: no working C compiler" in failed.stdout + failed.stderr
    assert not list(tmp_path.glob("*.whl"))


def test_skipping_the_compiled_part_makes_a_wheel_for_every_python(
    sdist: Path, tmp_path: Path
) -> None:
    build_wheel(sdist, tmp_path, {**NO_COMPILER, "ESG_ACCEL": "skip"})
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")
    assert "ESG_ACCEL=skip" in build_info(wheel)["REASON"]


def test_llhttp_that_cannot_be_downloaded_is_a_reason(checkout: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(checkout, source, ignore=shutil.ignore_patterns("build", "vendor"))
    build_wheel(source, tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    assert build_info(wheel)["REASON"].startswith("llhttp could not be downloaded (")


def test_a_system_llhttp_that_is_not_there_is_a_reason(sdist: Path, tmp_path: Path) -> None:
    build_wheel(sdist, tmp_path, {"ESG_LLHTTP": "system", "PKG_CONFIG": "/nonexistent/pkg-config"})
    (wheel,) = tmp_path.glob("*.whl")
    assert build_info(wheel)["REASON"].startswith("ESG_LLHTTP=system: /nonexistent/pkg-config:")


@pytest.mark.exhaustive
def test_the_system_llhttp_is_linked_when_asked_for(sdist: Path, tmp_path: Path) -> None:
    vendored = sdist / llhttp_source.VENDORED
    library = tmp_path / "libllhttp.so"
    sources = sorted(vendored.glob("*.c"))
    run("cc", "-shared", "-fPIC", "-I", vendored, "-o", library, *sources, cwd=tmp_path)
    (tmp_path / "libllhttp.pc").write_text(
        f"Name: llhttp\nDescription: llhttp\nVersion: 9\n"
        f"Cflags: -I{vendored}\nLibs: -L{tmp_path} -Wl,-rpath,{tmp_path} -lllhttp\n"
    )
    wish = {"ESG_LLHTTP": "system", "PKG_CONFIG_PATH": str(tmp_path), "ESG_ACCEL": "require"}
    build_wheel(sdist, tmp_path, wish)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        libraries = [n for n in archive.namelist() if b"libllhttp.so" in archive.read(n)]
    assert libraries


@pytest.mark.exhaustive
def test_pip_installs_wheel_and_sdist_into_an_empty_environment(
    wheel: Path, sdist: Path, tmp_path: Path, serve: Serve
) -> None:
    """With an index, and nothing there but pip: dependencies come by themselves."""
    for number, package in enumerate((wheel, sdist)):
        folder = tmp_path / str(number)
        run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=tmp_path)
        pip = (sys.executable, "-m", "pip", "--python", folder / "bin/python", "install")
        run(*pip, package, cwd=tmp_path)
        command = [str(folder / "bin/esg"), "--app-dir", str(APPS)]
        env = {"PYTHONPATH": ""}
        server = serve(app="stage:app", row=None, command=command, env=env, cwd=tmp_path)
        assert get(server).status == 200
        assert "(fast on asyncio" in server.stderr.text


@pytest.mark.exhaustive
def test_pypy_builds_a_pure_package(sdist: Path, tmp_path: Path) -> None:
    pypy = next(i for i in find_interpreters() if i.implementation == "pypy")
    python = prepare_or_skip(pypy).python
    asked = (python, "setup.py", "-q", "bdist_wheel", "--dist-dir", tmp_path)
    setuptools_of_ours = {"PYTHONPATH": PURELIB}
    run(*asked, cwd=sdist, env=setuptools_of_ours)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")
    assert build_info(wheel)["REASON"] == "it needs CPython, and this is PyPy"


# The parts.


def test_an_unknown_mode_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESG_ACCEL", "yes")
    with pytest.raises(SystemExit, match="ESG_ACCEL=yes: only auto, require, skip are known"):
        choice.mode()


def test_an_unknown_llhttp_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESG_LLHTTP", "mine")
    with pytest.raises(llhttp_source.LlhttpMissing, match="ESG_LLHTTP=mine"):
        llhttp_source.find(REPOSITORY)


def test_another_file_under_the_pinned_name_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "httptools-0.9.0.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(__file__, "httptools-0.9.0/vendor/llhttp/src/llhttp.c")
    with pytest.raises(llhttp_source.LlhttpMissing, match="not the file that is pinned"):
        llhttp_source.unpack(archive, tmp_path)
    assert not (tmp_path / "llhttp.c").exists()
