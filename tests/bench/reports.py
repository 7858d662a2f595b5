"""A small report, as a run of bench/ would make it."""

from measure import Cell, Sample, Settings
from report import Report

FACTS = {
    "date": "2026-01-01T00:00:00+00:00",
    "machine": "a machine, 2 cores",
    "python": "CPython 3.11",
    "versions": "esg 0.1.0",
    "checkout": "0123456789ab",
    "load average before": "0.00, 0.00, 0.00",
}


def sample(cpu: float, **changes: object) -> Sample:
    """Return a sample of 1,000 requests, a quarter of whose CPU time is the system's."""
    figures: dict[str, object] = {
        "requests": 1000,
        "user": cpu * 0.75,
        "system": cpu * 0.25,
        "rate": 1e6 / cpu,
        "p50": 10.0,
        "p99": 20.0,
        "p999": 30.0,
        "peak_rss": 20480,
        "disturbance": 0.0,
        "uncounted": 0.0,
    }
    return Sample(**{**figures, **changes})  # type: ignore[arg-type]


def report(**cpu: list[float]) -> Report:
    """Return a report of servers in hello, each with its CPU per request in every round."""
    result = Report(dict(FACTS), Settings(3, 2, 1, 0, 1))
    for name, values in cpu.items():
        samples = [sample(value) for value in values]
        result.cells.append(Cell(name.replace("_", "-"), "hello", samples))
    result.reference = result.choose_reference()
    return result
