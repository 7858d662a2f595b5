"""docs/testing.md: every sample of it is run, and shows what it says that it shows.

A sample of Python begins with the name of its file. Those named `test_fails_...` are to fail; the
text that comes after one is what it prints. The commands are run in the folder of the samples.
"""

from __future__ import annotations

import re
import shlex

import pytest

from esg.testing import available_rows
from tests.documentation.pages import Sample, page
from tests.testing.projects import run

# Some of pytest's lines have a percentage at their end, and `E` at the begin of an error's.
_DECORATION = re.compile(r"^E  +| +\[ *\d+%\]$|^>  +")


SAMPLES = page("docs/testing.md").samples
FILES = {sample.file: sample.text for sample in SAMPLES if sample.language == "python"}
COMMANDS = [
    line for sample in SAMPLES if sample.language == "sh" for line in sample.text.splitlines()
]
FAILING = [name for name in FILES if name.startswith("test_fails")]


def shown_after(sample: Sample) -> list[str]:
    """Return the lines of the output that comes after a sample."""
    after = SAMPLES[SAMPLES.index(sample) + 1]
    assert after.language == "text"
    return after.text.splitlines()


@pytest.fixture
def samples(project: pytest.Pytester) -> pytest.Pytester:
    """Return a project of all samples that are to pass."""
    project.makepyfile(**{name: text for name, text in FILES.items() if name not in FAILING})
    return project


def printed(result: pytest.RunResult) -> str:
    return "\n".join(_DECORATION.sub("", line) for line in result.outlines)


def test_every_sample_is_of_a_known_kind() -> None:
    assert {sample.language for sample in SAMPLES} == {"python", "sh", "text"}
    assert len(FILES) == sum(sample.language == "python" for sample in SAMPLES)
    assert len(FILES) > 8
    assert len(FAILING) == 3


def test_samples_pass(samples: pytest.Pytester) -> None:
    result = run(samples, "-rA")
    outcomes = result.parseoutcomes()
    assert set(outcomes) == {"passed"}
    for name in FILES.keys() - set(FAILING):
        if name.startswith("test_"):
            assert f"PASSED {name}.py::" in printed(result), name


@pytest.mark.parametrize("command", [c for c in COMMANDS if not c.startswith("pip install ")])
def test_commands_work(command: str, samples: pytest.Pytester) -> None:
    program, *options = shlex.split(command)
    assert program == "pytest"
    result = run(samples, *options, "-k", "dictionary")
    assert result.ret == pytest.ExitCode.OK
    if options == ["-v"]:
        lines = shown_after(next(s for s in SAMPLES if s.text == f"{command}\n"))
        assert len(lines) > 1
        shown = [line for line in lines if line.split("[")[1].split("]")[0] in available_rows()]
        assert set(shown) <= set(printed(result).splitlines())


@pytest.mark.parametrize("name", FAILING)
def test_failing_samples_fail_as_shown(name: str, samples: pytest.Pytester) -> None:
    samples.makepyfile(**{name: FILES[name]})
    result = run(samples, f"{name}.py")
    outcomes = result.parseoutcomes()
    assert outcomes.get("failed", 0) + outcomes.get("errors", 0) == 1
    sample = next(s for s in SAMPLES if s.language == "python" and s.file == name)
    for line in shown_after(sample):
        assert line in printed(result)
