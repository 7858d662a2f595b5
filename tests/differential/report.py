"""Say where rows differ: what was sent, both answers, and how to see it again."""

from __future__ import annotations

from tests.conformance.digest import difference
from tests.conformance.report import indented, visible
from tests.differential.example import Example
from tests.differential.rounds import command
from tests.differential.rows import MARKER, Answer

# Of longer ones the middle is left out.
LONGEST_SHOWN = 1200


def disagreement(example: Example, answers: dict[str, Answer]) -> str | None:
    """Return the report on the first row that differs from the first of all; None if none does."""
    (first, expected), *others = answers.items()
    for name, answer in others:
        if answer != expected:
            return "\n".join(_report(example, first, expected, name, answer))
    return None


def complaints(example: Example, answers: dict[str, Answer]) -> str | None:
    """Return the report on the first row of which something was wrong by itself."""
    for name, answer in answers.items():
        if answer.problems:
            return "\n".join([*_sent(example), f"{name}:", *answer.problems, *_received(answer)])
    return None


def shown(example: Example, answers: dict[str, Answer]) -> str:
    """Show an example and the answer that all rows give."""
    first = next(iter(answers.values()))
    return "\n".join([*_sent(example), *first.lines, *_received(first)])


def _report(example: Example, first: str, one: Answer, name: str, other: Answer) -> list[str]:
    return [
        f"{first} (-) and {name} (+) differ:",
        *(f"    {line}" for line in difference(one.lines, other.lines) or ["the bytes alone"]),
        *_sent(example),
        f"{first} answered:",
        *_received(one),
        f"{name} answered:",
        *_received(other),
    ]


def _sent(example: Example) -> list[str]:
    marker = "a ping" if example.websocket else repr(MARKER)
    ending = "FIN" if example.ends else f"{marker} and FIN behind its answer"
    pieces = [line for piece in example.pieces for line in (_shown(piece), "    --")]
    return [
        f"sent, cut at --, then {ending}:",
        *pieces[:-1],
        f"application: {', '.join(example.scripts)}",
        f"again: {command(example)}",
    ]


def _received(answer: Answer) -> list[str]:
    return [_shown(answer.received) or "    nothing", f"    then: {answer.end}"]


def _shown(data: bytes) -> str:
    half = LONGEST_SHOWN // 2
    left_out = len(data) - 2 * half
    if left_out <= 0:
        return indented(visible(data))
    parts = (visible(data[:half]), f"... {left_out} bytes ...", visible(data[-half:]))
    return indented("\n".join(parts))
