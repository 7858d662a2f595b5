"""Measure one server under one load: server CPU per request first, then rate, latency, memory.

The CPU time is that of the whole process tree, user and system, taken just before and just after
the load. The server has one core for itself and the load another.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field

import live_server
import procfs
import websocket_load
import wrk
from environment import Environment
from live_server import ServerError, running
from scenarios import AnyScenario, WebSocketScenario
from servers import Server


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
    share of the requests that may have been served without wrk counting their answers because it
    stopped; both 0 to 1. `each` is the memory of one connection, where that is what is asked.
    """

    requests: int
    user: float
    system: float
    rate: float
    p50: float
    p99: float
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

    def as_data(self) -> dict[str, object]:
        """Return the cell as it is stored."""
        samples = [{**asdict(sample), "cpu": sample.cpu} for sample in self.samples]
        return {**asdict(self), "samples": samples}


def check_answer(scenario: AnyScenario, port: int) -> None:
    """Prove that a server answers what the scenario asks.

    Raises:
        ServerError: It does not.
    """
    if isinstance(scenario, WebSocketScenario):
        websocket_load.check_answer(port, scenario)
    else:
        live_server.check_answer(port, scenario)


def put_load(scenario: AnyScenario, port: int, seconds: int, core: int) -> wrk.LoadSummary:
    """Put the scenario's load on a server.

    Raises:
        LoadError: The load generator failed.
    """
    if isinstance(scenario, WebSocketScenario):
        return websocket_load.run(scenario, port, seconds, core)
    return wrk.run(scenario, port, seconds, core)


def takes_part(server: Server, scenario: AnyScenario) -> bool:
    """Tell whether a scenario is for a server."""
    if scenario.protocol not in server.speaks:
        return False
    return scenario.for_fixed_answer or not server.fixed_answer


def probe(server: Server, scenario: AnyScenario, environment: Environment, core: int) -> str | None:
    """Start a server once and check its answer; return what is wrong, if anything."""
    try:
        with running(server, scenario.app, environment, core) as (_pid, port):
            check_answer(scenario, port)
    except ServerError as error:
        return str(error)
    return None


def measure_once(
    server: Server, scenario: AnyScenario, environment: Environment, settings: Settings
) -> Sample:
    """Start a server, check its answer, warm it up and measure it.

    Raises:
        ServerError: It did not start or answered wrongly.
        LoadError: The load generator failed.
    """
    with running(server, scenario.app, environment, settings.server_core) as (pid, port):
        check_answer(scenario, port)
        if isinstance(scenario, WebSocketScenario) and scenario.idle:
            return _measure_idle(scenario, pid, port, settings)
        if settings.warmup:
            put_load(scenario, port, settings.warmup, settings.load_core)
        started = time.monotonic()
        busy_before = procfs.core_busy_time(settings.server_core)
        cpu_before = procfs.cpu_time(pid)
        load = put_load(scenario, port, settings.duration, settings.load_core)
        used = procfs.cpu_time(pid).since(cpu_before)
        busy = procfs.core_busy_time(settings.server_core) - busy_before
        elapsed = time.monotonic() - started
        requests = max(load.requests, 1)
        return Sample(
            requests=load.requests,
            user=used.user / requests * 1e6,
            system=used.system / requests * 1e6,
            rate=load.requests / load.duration * 1e6,
            p50=load.p50,
            p99=load.p99,
            peak_rss=procfs.peak_rss(pid),
            disturbance=max(0.0, (busy - used.total) / elapsed),
            uncounted=min(1.0, scenario.most_under_way / requests),
            problem=load.problem,
        )


def _measure_idle(scenario: WebSocketScenario, pid: int, port: int, settings: Settings) -> Sample:
    """Open the scenario's connections and ask what they cost in memory.

    What is counted as requests are the opening handshakes. There is no warming up: memory that
    earlier connections have left behind would serve these, and they would seem to need none.
    """
    started, cpu_before, rss_before = time.monotonic(), procfs.cpu_time(pid), procfs.rss(pid)
    busy_before = procfs.core_busy_time(settings.server_core)
    with websocket_load.held_open(scenario, port, settings.load_core):
        elapsed = time.monotonic() - started
        used = procfs.cpu_time(pid).since(cpu_before)
        busy = procfs.core_busy_time(settings.server_core) - busy_before
        rss = procfs.rss(pid)
    return Sample(
        requests=scenario.connections,
        user=used.user / scenario.connections * 1e6,
        system=used.system / scenario.connections * 1e6,
        rate=scenario.connections / elapsed,
        p50=0.0,
        p99=0.0,
        peak_rss=procfs.peak_rss(pid),
        disturbance=max(0.0, (busy - used.total) / elapsed),
        uncounted=0.0,
        each=(rss - rss_before) / scenario.connections,
    )


def measure(
    servers: Sequence[Server],
    scenario: AnyScenario,
    environment: Environment,
    settings: Settings,
    say: Callable[[str], None],
) -> list[Cell]:
    """Measure all servers in one scenario, one after the other in each round."""
    fit = [server for server in servers if takes_part(server, scenario)]
    cells = {server.name: Cell(server.name, scenario.name) for server in fit}
    for number in range(1, settings.rounds + 1):
        for server in fit:
            cell = cells[server.name]
            if cell.problems:
                continue  # One failure says it; a median of the rest would hide it.
            add_sample(cell, server, scenario, environment, settings)
            say(f"{scenario.name} round {number}/{settings.rounds}: {server.name}: {latest(cell)}")
    return list(cells.values())


def add_sample(
    cell: Cell, server: Server, scenario: AnyScenario, environment: Environment, settings: Settings
) -> None:
    """Measure once and put the sample, or what went wrong, into the cell."""
    try:
        sample = measure_once(server, scenario, environment, settings)
    except (ServerError, wrk.LoadError) as error:
        cell.problems.append(str(error))
        return
    cell.samples.append(sample)
    if sample.problem:
        cell.problems.append(sample.problem)


def latest(cell: Cell) -> str:
    """Say in a few words how the last round went."""
    if cell.problems:
        return cell.problems[-1]
    sample = cell.samples[-1]
    if sample.each:
        return f"{sample.each:.1f} KiB a connection"
    return f"{sample.cpu:.2f} us a request, {sample.rate:,.0f} requests/s"
