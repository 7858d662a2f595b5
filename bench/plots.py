"""Pictures of what was measured, as SVG: bars for a scenario, lines for a cost that grows.

The pictures follow the reader's dark mode by themselves, and need no fonts or scripts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, MARGIN = 760, 20
STYLE = """
text { font: 13px system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #1f2328 }
.title { font-size: 16px; font-weight: 600 }
.note, .tick { fill: #59636e; font-size: 11.5px }
.own { font-weight: 600 }
.grid { stroke: #d1d9e0; stroke-width: 1 }
.floor { stroke: #8250df; stroke-width: 1.5; stroke-dasharray: 4 3 }
.a { fill: #8c959f } .b { fill: #c5ccd3 }
.own-a { fill: #0969da } .own-b { fill: #80b6f0 }
.spread { stroke: #1f2328; stroke-width: 1.2 }
.line { fill: none; stroke-width: 2.2; stroke-linejoin: round }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .note, .tick { fill: #9198a1 } .grid { stroke: #3d444d }
  .a { fill: #6e7681 } .b { fill: #484f58 } .own-a { fill: #4493f8 } .own-b { fill: #1f5fae }
  .spread { stroke: #e6edf3 } .floor { stroke: #ab7df8 }
}
"""
LINE_COLOURS = (
    *("#0969da", "#cf222e", "#1a7f37", "#9a6700", "#8250df", "#bf3989", "#57606a"),
    *("#0a7d8c", "#bc4c00", "#6639ba", "#4d8f00", "#a40e26"),
)
LABELS, VALUES, BAR, STEP = 150, 66, 16, 27

Place = Callable[[float], float]


@dataclass(frozen=True)
class Bar:
    """One bar: what it stands for, its two parts, and from where to where its sum has varied."""

    label: str
    parts: tuple[float, float]
    least: float
    greatest: float
    text: str

    @property
    def total(self) -> float:
        """Return its length."""
        return sum(self.parts)


def _text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(words)}</text>'


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _drawing(title: str, height: float, parts: Sequence[str]) -> str:
    """Return a whole picture."""
    start = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}"'
        f' width="{WIDTH}" height="{height:.0f}" role="img" aria-label="{escape(title)}">'
    )
    heading = _text(MARGIN, 30, title, "title")
    return "\n".join([start, f"<style>{STYLE}</style>", heading, *parts, "</svg>\n"])


def ticks(greatest: float, most: int = 6) -> list[float]:
    """Return round numbers from 0 to the first that reaches the greatest value, at equal steps."""
    if greatest <= 0:
        return [0.0, 1.0]
    rough = greatest / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    return [step * number for number in range(math.ceil(greatest / step - 1e-9) + 1)]


def _short(value: float) -> str:
    """Return a number as an axis shows it."""
    return f"{value:,.0f}" if value >= 1 or value == 0 else f"{value:g}"


def bar_chart(
    title: str, note: str, bars: Sequence[Bar], own: str = "esg-", floor: float | None = None
) -> str:
    """Draw horizontal bars of two parts each, in the order given.

    Args:
        title: The heading.
        note: What the figures are, and what the two parts of a bar.
        bars: The bars, with their sums' variation.
        own: How the labels begin that are brought out.
        floor: A value to draw a line at.
    """
    scale = ticks(max((bar.greatest for bar in bars), default=0))
    top, left, right = 66.0, MARGIN + LABELS, WIDTH - MARGIN - VALUES
    bottom = top + STEP * len(bars)

    def place(value: float) -> float:
        return left + (right - left) * value / scale[-1]

    parts = [_text(MARGIN, 50, note, "note")]
    for tick in scale:
        parts.append(_line("grid", place(tick), top - 4, place(tick), bottom))
        parts.append(_text(place(tick), bottom + 16, _short(tick), "tick", "middle"))
    for number, bar in enumerate(bars):
        parts += _bar(bar, top + STEP * number, left, place, "own-" if _is(bar, own) else "")
    if floor is not None:
        parts.append(_line("floor", place(floor), top - 4, place(floor), bottom))
    return _drawing(title, bottom + 30, parts)


def _is(bar: Bar, own: str) -> bool:
    return bar.label.startswith(own)


def _bar(bar: Bar, y: float, left: float, place: Place, prefix: str) -> list[str]:
    """Draw one bar with its label, its value and its variation."""
    middle, kind = y + BAR / 2 + 4.5, "own" if prefix else ""
    first, whole = place(bar.parts[0]), place(bar.total)
    return [
        _text(left - 8, middle, bar.label, kind, "end"),
        _rectangle(f"{prefix}a", left, y, first - left),
        _rectangle(f"{prefix}b", first, y, whole - first),
        _line("spread", place(bar.least), y + BAR / 2, place(bar.greatest), y + BAR / 2),
        _text(max(whole, place(bar.greatest)) + 7, middle, bar.text, kind),
    ]


def _rectangle(kind: str, x: float, y: float, width: float) -> str:
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}"'
        f' height="{BAR}" rx="1.5"/>'
    )


def line_chart(title: str, note: str, points: Mapping[str, Mapping[int, float]], axis: str) -> str:
    """Draw a line for each name through its points; both axes are logarithmic.

    Args:
        title: The heading.
        note: What the figures are.
        points: For each name the values by what they depend on, both above 0.
        axis: What they depend on.
    """
    top, bottom, left, right = 70.0, 400.0, MARGIN + 40.0, WIDTH - MARGIN - LABELS
    steps = sorted({x for values in points.values() for x in values})
    heights = [y for values in points.values() for y in values.values()]
    low, high = _decades(heights)

    def across(x: float) -> float:
        return left + (right - left) * _share(x, steps[0], steps[-1])

    def up(y: float) -> float:
        return bottom - (bottom - top) * _share(y, low, high)

    parts = [_text(MARGIN, 50, note, "note"), _text(right, bottom + 36, axis, "note", "end")]
    for tick in _log_ticks(low, high):
        parts.append(_line("grid", left, up(tick), right, up(tick)))
        parts.append(_text(left - 8, up(tick) + 4, _short(tick), "tick", "end"))
    parts += [_text(across(x), bottom + 18, f"{x:,}", "tick", "middle") for x in steps]
    ends = {name: up(values[max(values)]) for name, values in points.items()}
    heights_of_labels = apart(ends, 16.0)
    for number, (name, values) in enumerate(points.items()):
        colour = LINE_COLOURS[number % len(LINE_COLOURS)]
        path = " ".join(f"{across(x):.1f},{up(values[x]):.1f}" for x in sorted(values))
        parts.append(f'<polyline class="line" stroke="{colour}" points="{path}"/>')
        last = across(max(values))
        parts.append(f'<circle cx="{last:.1f}" cy="{ends[name]:.1f}" r="3.5" fill="{colour}"/>')
        parts.append(_line_label(right + 10, heights_of_labels[name] + 4, name, colour))
    return _drawing(title, bottom + 50, parts)


def _line_label(x: float, y: float, name: str, colour: str) -> str:
    kind = "own" if name.startswith("esg-") else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" style="fill:{colour}">{escape(name)}</text>'
    )


def _share(value: float, low: float, high: float) -> float:
    """Return how far up a logarithmic axis a value is, 0 to 1."""
    return math.log(value / low) / math.log(high / low) if high > low else 0.5


def _log_ticks(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 times the powers of ten between two of them."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    ticks_ = [factor * 10.0**power for power in range(first, last + 1) for factor in (1, 2, 5)]
    return [tick for tick in ticks_ if low * 0.999 <= tick <= high * 1.001]


def _decades(values: Sequence[float]) -> tuple[float, float]:
    """Return the nearest of 1, 2 and 5 times a power of ten below and above all values."""
    wide = _log_ticks(min(values) / 10, max(values) * 10)
    low = max(tick for tick in wide if tick <= min(values))
    return low, min(tick for tick in wide if tick >= max(values) and tick > low)


def apart(heights: Mapping[str, float], least: float) -> dict[str, float]:
    """Move heights down as little as it takes to have them a least distance apart."""
    moved: dict[str, float] = {}
    previous = -math.inf
    for name, height in sorted(heights.items(), key=lambda item: item[1]):
        previous = max(height, previous + least)
        moved[name] = previous
    return moved
