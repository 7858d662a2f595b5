"""Documents take what was measured between their marks, and show what the stored samples say."""

from pathlib import Path

import publish
import pytest
import report as reports
from publish import BEGIN, END, NoMarks

from tests.bench.reports import report

ROOT = Path(__file__).resolve().parents[2]


def test_only_what_lies_between_the_marks_is_written() -> None:
    document = f"before\n\n{BEGIN}\n\nold\n\n{END}\n\nafter\n"
    once = publish.between_marks(document, "new")
    assert once == f"before\n\n{BEGIN}\n\nnew\n\n{END}\n\nafter\n"
    assert publish.between_marks(once, "new") == once


@pytest.mark.parametrize("document", ["", BEGIN, END + BEGIN, BEGIN + END + END])
def test_documents_without_marks_are_refused(document: str) -> None:
    with pytest.raises(NoMarks):
        publish.between_marks(document, "new")


def test_documentation_of_a_report(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    for name in ("README.md", "docs/performance.md"):
        (tmp_path / name).write_text(f"{BEGIN}{END}")
    measured = report(esg_fast_uvloop=[8.0, 9.0, 7.0], uvicorn_h11=[90.0])
    publish.publish(measured, tmp_path)
    readme = (tmp_path / "README.md").read_text()
    assert "| hello, 13 bytes | 8.00 | 90.0 |" in readme
    assert "busy" not in readme
    page = (tmp_path / "docs/performance.md").read_text()
    assert "(64 connections)\n\n![hello](performance/hello.svg)\n\n| server |" in page
    assert {path.name for path in (tmp_path / "docs/performance").iterdir()} == {
        "hello.svg",
        "results.json",
    }


def test_a_busy_machine_is_said_in_the_readme() -> None:
    measured = report(esg_fast_uvloop=[8.0])
    measured.warnings.append("the load average is 9.00 before the start")
    assert "**The machine was busy (load average 0.00, 0.00, 0.00).**" in publish.readme(measured)


def test_other_work_is_said_in_the_readme() -> None:
    measured = report(esg_fast_uvloop=[8.0])
    measured.warnings.append("other work ran on the server's core in 1 cells")
    assert "**Other work ran beside some of the samples.**" in publish.readme(measured)


def test_the_documents_show_the_samples_that_lie_beside_them(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    names = ("README.md", "docs/performance.md")
    for name in names:
        (tmp_path / name).write_text((ROOT / name).read_text())
    publish.publish(reports.read(ROOT / publish.RESULT), tmp_path)
    for name in names:
        assert (tmp_path / name).read_text() == (ROOT / name).read_text()
