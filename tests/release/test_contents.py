"""That what is wrong with an archive is seen; tests/accel/test_build.py looks at real ones."""

from __future__ import annotations

import pytest

from release import contents

METADATA = b"""\
Metadata-Version: 2.4
Name: esg
Version: 1.2.3
License-Expression: BSD-3-Clause
License-File: LICENSE
License-File: LICENSE.llhttp
Requires-Python: >=3.11
Description-Content-Type: text/markdown

Text
"""
INFO = "esg-1.2.3.dist-info/"
NAME = "esg-1.2.3-cp312-cp312-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"
PURE = "esg-1.2.3-py3-none-any.whl"
COMPILED = "esg/accel/a.cpython-312-x86_64-linux-gnu.so"
WHEEL = {
    "esg/__init__.py": b"",
    "esg/py.typed": b"",
    COMPILED: b"",
    "_esg_pytest_plugin.py": b"",
    f"{INFO}METADATA": METADATA,
    f"{INFO}entry_points.txt": "\n\n".join(contents.ENTRY_POINTS).encode(),
    f"{INFO}licenses/LICENSE": b"",
    f"{INFO}licenses/LICENSE.llhttp": b"",
}
SDIST = {
    "setup.py": b"",
    "PKG-INFO": METADATA,
    "esg.egg-info/SOURCES.txt": b"",
    "vendor/llhttp/llhttp.c": b"",
}
TRACKED = {"setup.py", ".ci/run", "bench/.gitignore"}


def of_wheel(files: dict[str, bytes], name: str = NAME) -> list[str]:
    package = {"esg/__init__.py"}
    return list(contents.faults_of_wheel(name, files, "1.2.3", ["esg/accel/a"], package))


def of_sdist(files: dict[str, bytes], name: str = "esg-1.2.3.tar.gz") -> list[str]:
    return list(contents.faults_of_sdist(name, files, "1.2.3", TRACKED))


def without(files: dict[str, bytes], path: str) -> dict[str, bytes]:
    assert path in files
    return {name: content for name, content in files.items() if name != path}


def test_what_is_right() -> None:
    assert of_wheel(WHEEL) == []
    assert of_wheel(without(WHEEL, COMPILED), PURE) == []
    assert of_sdist(SDIST) == []
    assert of_sdist({**SDIST, "bench/.gitignore": b""}) == []


@pytest.mark.parametrize(
    "tag", ["cp312-cp312-linux_x86_64", "cp312-abi3-manylinux_2_17_x86_64", "cp312-none-any"]
)
def test_tags_that_no_index_takes(tag: str) -> None:
    assert of_wheel(WHEEL, f"esg-1.2.3-{tag}.whl") == [f"no index takes its tag {tag}"]


@pytest.mark.parametrize(
    "stray", ["tests/__init__.py", "esg/accel/a.pyx", "esg/accel/a.c", "conf1.log", "bench/run.py"]
)
def test_strays(stray: str) -> None:
    said = [f"{stray} does not belong into it"]
    assert of_wheel({**WHEEL, stray: b""}) == said
    assert of_sdist({**SDIST, stray: b""}) == said


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (COMPILED, "it lacks the compiled esg/accel/a"),
        ("esg/__init__.py", "it lacks esg/__init__.py"),
        ("_esg_pytest_plugin.py", "it lacks _esg_pytest_plugin.py"),
        (f"{INFO}licenses/LICENSE.llhttp", f"it lacks {INFO}licenses/LICENSE.llhttp"),
    ],
)
def test_what_a_wheel_lacks(path: str, said: str) -> None:
    assert of_wheel(without(WHEEL, path)) == [said]


def test_a_compiled_module_in_a_wheel_for_every_python() -> None:
    assert of_wheel(WHEEL, PURE) == ["it has a compiled esg/accel/a"]


def test_entry_points() -> None:
    lacking = {**WHEEL, f"{INFO}entry_points.txt": b"[console_scripts]\nesg = esg.cli:main\n"}
    assert of_wheel(lacking) == [f"it lacks the entry point {contents.ENTRY_POINTS[1]!r}"]


def test_metadata() -> None:
    other = {f"{INFO}METADATA": METADATA.replace(b"Version: 1.2.3", b"Version: 1.2.4")}
    assert of_wheel({**WHEEL, **other}) == ["its metadata say Version: ['1.2.4'], not ['1.2.3']"]
    unlicensed = {"PKG-INFO": METADATA.replace(b"License-File: LICENSE.llhttp\n", b"")}
    (said,) = of_sdist({**SDIST, **unlicensed})
    assert said.startswith("its metadata say License-File: ['LICENSE'], not")


def test_what_a_source_distribution_lacks() -> None:
    assert of_sdist(without(SDIST, "setup.py")) == ["it lacks setup.py"]
    assert of_sdist(without(SDIST, "vendor/llhttp/llhttp.c")) == ["it lacks llhttp"]


def test_another_version_s_name() -> None:
    assert of_sdist(SDIST, "esg-1.2.4.tar.gz") == ["its name is not esg-1.2.3.tar.gz"]
    assert of_wheel(WHEEL, NAME.replace("1.2.3", "1.2.4"))[0] == (
        "its name does not begin with esg-1.2.3-"
    )
