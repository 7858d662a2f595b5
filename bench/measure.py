"""Measure one server under one load: server CPU per request first, then rate, latency, memory.

The CPU time is that of the whole process tree, user and system, taken just before and just after
the load. The server has one core for itself and the load another.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import answers
import http_load
import procfs
import websocket_load
import wrk
from environment import Environment
from live_server import Place, ServerError, running
from load import Begin, LoadError, LoadSummary
from scenarios import CPU, MEMORY, START, HttpScenario, Scenario, WebSocketScenario
from servers import Server

Keep = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """How the measuring is done; times in whole seconds, cores by their number."""

    rounds: int
    duration: int
    warmup: int
    server_core: int
    load_core: int


@dataclass(frozen=True)
class Sample:
    """One run of one load; times in microseconds, memory in KiB.

    `disturbance` is the share of the server's core that other work took, `uncounted` the greatest
    share of the requests that may have been served without the load counting their answers because
    it stopped; both 0 to 1. `each` is the memory of one connection in KiB, or the time of one start
    in milliseconds, where that is what is asked.
    """

    requests: int
    user: float
    system: float
    rate: float
    p50: float
    p99: float
    p999: float
    peak_rss: int
    disturbance: float
    uncounted: float
    problem: str | None = None
    each: float = 0.0

    @property
    def cpu(self) -> float:
        """Return the server CPU per request."""
        return self.user + self.system


@dataclass(frozen=True)
class Spread:
    """The median of a figure over the rounds, with its least and its greatest value."""

    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of at least one value."""
        return cls(statistics.median(values), min(values), max(values))


@dataclass
class Cell:
    """All that is known of one server in one scenario."""

    server: str
    scenario: str
    samples: list[Sample] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def spread(self, figure: str) -> Spread | None:
        """Return the spread of a figure of the samples; none if any round went wrong."""
        if self.problems or not self.samples:
            return None
        return Spread.of([getattr(sample, figure) for sample in self.samples])

    def as_data(self) -> dict[str, Any]:
        """Return the cell as it is stored."""
        samples = [{**asdict(sample), "cpu": sample.cpu} for sample in self.samples]
        return {**asdict(self), "samples": samples}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Cell:
        """Return a cell that was stored."""
        names = {field.name for field in fields(Sample)}
        samples = [
            Sample(**{name: value for name, value in sample.items() if name in names})
            for sample in data["samples"]
        ]
        return cls(data["server"], data["scenario"], samples, list(data["problems"]))


def check_answer(scenario: Scenario, place: Place) -> None:
    """Prove that a server answers what the scenario asks.

    Raises:
        ServerError: It does not.
    """
    if isinstance(scenario, WebSocketScenario):
        websocket_load.check_answer(place, scenario)
    elif isinstance(scenario, HttpScenario):
        answers.check(place, scenario)


def generator(scenario: Scenario) -> str | None:
    """Return the name of what puts the load of a scenario; None if nothing here can."""
    if isinstance(scenario, WebSocketScenario):
        return "websocket_load"
    assert isinstance(scenario, HttpScenario)
    if scenario.asks == CPU and wrk.is_there() and wrk.can_put(scenario):
        return "wrk"
    return "http_load" if http_load.can_put(scenario) else None


def opened(
    scenario: Scenario, place: Place, seconds: int, core: int
) -> AbstractContextManager[Begin]:
    """Open the scenario's connections; what the context gives begins the load."""
    if isinstance(scenario, WebSocketScenario):
        return websocket_load.opened(scenario, place, seconds, core)
    assert isinstance(scenario, HttpScenario)
    if generator(scenario) == "wrk":
        return wrk.opened(scenario, place, seconds, core)
    return http_load.opened(scenario, place, seconds, core)


def takes_part(server: Server, scenario: Scenario) -> bool:
    """Tell whether a scenario is for a server."""
    if scenario.protocol not in server.speaks or server.options.words(scenario.mode) is None:
        return False
    if server.variant and not scenario.for_variants:
        return False
    return scenario.for_fixed_answer or not server.fixed_answer


def probe(server: Server, scenario: Scenario, environment: Environment, core: int) -> str | None:
    """Start a server once, as for a scenario; return why it does not start, if so."""
    try:
        with running(server, scenario.app, scenario.mode, environment, core):
            return None
    except ServerError as error:
        return str(error)


@dataclass(frozen=True)
class _Meter:
    """What a server and its core had used up when the measuring began."""

    pid: int
    core: int
    started: float
    cpu: procfs.CpuTime
    busy: float

    @classmethod
    def start(cls, pid: int, core: int) -> _Meter:
        """Begin."""
        started, busy = time.monotonic(), procfs.core_busy_time(core)
        return cls(pid, core, started, procfs.cpu_time(pid), busy)

    def sample(self, load: LoadSummary, scenario: Scenario, each: float = 0.0) -> Sample:
        """Return what has been used since, by what the load has counted."""
        used = procfs.cpu_time(self.pid).since(self.cpu)
        busy = procfs.core_busy_time(self.core) - self.busy
        elapsed = time.monotonic() - self.started
        requests = max(load.requests, 1)
        return Sample(
            requests=load.requests,
            user=used.user / requests * 1e6,
            system=used.system / requests * 1e6,
            rate=load.requests / load.duration * 1e6,
            p50=load.p50,
            p99=load.p99,
            p999=load.p999,
            peak_rss=procfs.peak_rss(self.pid),
            disturbance=max(0.0, (busy - used.total) / elapsed),
            uncounted=min(1.0, scenario.most_under_way / requests) if scenario.asks == CPU else 0.0,
            problem=load.problem,
            each=each,
        )


def measure_once(
    server: Server, scenario: Scenario, environment: Environment, settings: Settings
) -> Sample:
    """Start a server, check its answer, warm it up and measure it.

    Raises:
        ServerError: It did not start or answered wrongly.
        LoadError: The load generator failed.
    """
    core, started = settings.server_core, time.monotonic()
    with running(server, scenario.app, scenario.mode, environment, core) as (pid, place):
        check_answer(scenario, place)
        if scenario.asks == START:
            return _start_sample(pid, time.monotonic() - started)
        if scenario.asks == MEMORY:
            return _measure_idle(scenario, pid, place, settings)
        if warmup := max(settings.warmup, server.least_warmup):
            with opened(scenario, place, warmup, settings.load_core) as begin:
                begin()
        with opened(scenario, place, settings.duration, settings.load_core) as begin:
            meter = _Meter.start(pid, core)
            return meter.sample(begin(), scenario)


def _start_sample(pid: int, elapsed: float) -> Sample:
    """Say what it took to start, its first answers included; the CPU time is that of all of it."""
    used = procfs.cpu_time(pid)
    return Sample(
        requests=1,
        user=used.user * 1e6,
        system=used.system * 1e6,
        rate=1 / elapsed,
        p50=0.0,
        p99=0.0,
        p999=0.0,
        peak_rss=procfs.peak_rss(pid),
        disturbance=0.0,
        uncounted=0.0,
        each=elapsed * 1e3,
    )


def _measure_idle(scenario: Scenario, pid: int, place: Place, settings: Settings) -> Sample:
    """Open the scenario's connections and ask what they cost in memory.

    There is no warming up: memory that earlier connections have left behind would serve these, and
    they would seem to need none.
    """
    rss_before, number = procfs.rss(pid), scenario.connections
    meter = _Meter.start(pid, settings.server_core)
    with opened(scenario, place, settings.duration, settings.load_core):
        each = (procfs.rss(pid) - rss_before) / number
        microseconds = round((time.monotonic() - meter.started) * 1e6)
        return meter.sample(LoadSummary(number, microseconds, 0, 0, 0, {}), scenario, each)


def measure(
    cells: Mapping[str, Cell],
    rows: Mapping[str, tuple[Server, Environment]],
    scenario: Scenario,
    settings: Settings,
    keep: Keep,
) -> None:
    """Measure all servers in one scenario, one after the other in each round.

    Args:
        cells: Where the samples are put, by server; a cell that has its samples is left alone.
        rows: The servers, and what each of them runs in.
        scenario: What they are measured with.
        settings: How.
        keep: Called after each sample, with how it went.
    """
    for number in range(1, settings.rounds + 1):
        for name, cell in cells.items():
            if cell.problems or len(cell.samples) >= number:
                continue  # One failure says it; a median of the rest would hide it.
            server, environment = rows[name]
            add_sample(cell, server, scenario, environment, settings)
            how = latest(cell, scenario)
            keep(f"{scenario.name} round {number}/{settings.rounds}: {name}: {how}")


def add_sample(
    cell: Cell, server: Server, scenario: Scenario, environment: Environment, settings: Settings
) -> None:
    """Measure once and put the sample, or what went wrong, into the cell."""
    try:
        sample = measure_once(server, scenario, environment, settings)
    except (ServerError, LoadError) as error:
        cell.problems.append(str(error))
        return
    cell.samples.append(sample)
    if sample.problem:
        cell.problems.append(sample.problem)


def latest(cell: Cell, scenario: Scenario) -> str:
    """Say in a few words how the last round went."""
    if cell.problems:
        return cell.problems[-1]
    sample = cell.samples[-1]
    if scenario.asks == MEMORY:
        return f"{sample.each:.1f} KiB per connection"
    if scenario.asks == START:
        return f"{sample.each:.0f} ms"
    return f"{sample.cpu:.2f} us per {scenario.unit}, {sample.rate:,.0f} {scenario.unit}s/s"
