"""Measure ASGI servers beside each other: `python bench/run.py --help`."""

from __future__ import annotations

import argparse
import datetime as dt
import fnmatch
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import apps
import pictures
import procfs
import report as reports
import scenarios as loads
import servers as rows
import tables
from environment import BENCH, CHECKOUT, Environment, prepare
from measure import Settings, generator, measure, probe, takes_part
from report import Report
from scenarios import ALL_SCENARIOS, Scenario
from servers import SERVERS, Server

BUSY_SHARE = 0.1
BUSY_LOAD = 0.5
LISTED_VERSIONS = (
    *("esg", "uvicorn", "httptools", "h11", "uvloop", "anyio", "trio", "hypercorn"),
    *("granian", "fastpysgi", "h2corn", "gunicorn", "daphne", "socketify", "websockets"),
    *("wsproto", "picows", "starlette", "fastapi"),
)
Facts = dict[str, str]
OVERHEAD = 1.4  # seconds that a sample takes besides its load: start, check and stop
RESULTS = BENCH / "results"


def say(text: str) -> None:
    """Tell the person who waits how far it is; results alone go to stdout."""
    print(text, file=sys.stderr, flush=True)


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="bench/run.py",
        description="Measure server CPU per request of ESG, its peers and the floor, side by side.",
        epilog="Names may be patterns, separated by commas: --servers 'esg-*,uvicorn-*,floor'.",
    )
    parser.add_argument("--servers", default="*", help="which rows (default: all)")
    parser.add_argument("--scenarios", default="*", help="which loads (default: all)")
    parser.add_argument("--quick", action="store_true", help="a few rows and loads, in minutes")
    parser.add_argument("--rounds", type=_at_least(1), default=3, help="default: 3")
    parser.add_argument("--duration", type=_at_least(1), default=2, help="seconds (default: 2)")
    parser.add_argument("--warmup", type=_at_least(0), default=1, help="seconds (default: 1)")
    parser.add_argument("--server-core", type=int, default=0, help="default: 0")
    parser.add_argument("--load-core", type=int, default=1, help="default: 1")
    parser.add_argument("--reference", default="", help="the row that the others are divided by")
    parser.add_argument(
        "--output", type=Path, help="JSON file (default: results/<time>.json); tables and pictures"
    )
    parser.add_argument(
        "--resume",
        type=Path,
        nargs="?",
        const=RESULTS,
        help="go on with a run that was ended (default: the newest)",
    )
    parser.add_argument(
        "--here",
        action="store_true",
        help="measure what is installed beside this interpreter, and install nothing",
    )
    parser.add_argument("--list", action="store_true", help="name the rows and loads, and stop")
    return parser.parse_args(arguments)


def _at_least(least: int) -> Callable[[str], int]:
    """Return a reader of whole numbers for argparse that refuses smaller ones."""

    def whole(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"must be at least {least}")
        return value

    return whole


def chosen_names(patterns: str, names: Iterable[str]) -> set[str]:
    """Return the names that any of the comma-separated patterns fits.

    Raises:
        SystemExit: A pattern fits none.
    """
    known = list(names)
    chosen: set[str] = set()
    for pattern in patterns.split(","):
        found = fnmatch.filter(known, pattern.strip())
        if not found:
            raise SystemExit(f"nothing is called {pattern!r}; there are: {', '.join(known)}")
        chosen.update(found)
    return chosen


def machine_facts(environments: Iterable[Environment], scenarios: Sequence[Scenario]) -> Facts:
    """Say on what this run is done."""
    versions: dict[str, str] = {}
    for environment in environments:
        versions = environment.versions() | versions
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    generators = {name for s in scenarios if (name := generator(s))}
    return {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "machine": f"{procfs.cpu_model()}, {os.cpu_count()} cores, {platform.machine()}",
        "kernel": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "versions": ", ".join(f"{n} {versions[n]}" for n in LISTED_VERSIONS if n in versions),
        "checkout": checkout_revision(),
        "load from": ", ".join(sorted(generators)),
        "load average before": load,
        "warming up of PyPy": f"{rows.JIT_WARMUP} s at least",
    }


def checkout_revision() -> str:
    """Return the commit of the checkout, and whether files differ from it."""
    command = ["git", "-C", str(CHECKOUT), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    except FileNotFoundError:
        return "unknown (no git)"
    return done.stdout.strip() or "unknown"


def busy_warnings(cores: Iterable[int]) -> list[str]:
    """Say whether the machine has other work before anything is started."""
    load = os.getloadavg()[0]
    warnings = [f"the load average is {load:.2f} before the start"] if load > BUSY_LOAD else []
    shares = {core: procfs.busy_share(core, 1.0) for core in cores}
    return warnings + [
        f"core {core} is {share:.0%} busy before the start"
        for core, share in shares.items()
        if share > BUSY_SHARE
    ]


def require_cores(settings: Settings) -> None:
    """Check that server and load get a core each.

    Raises:
        SystemExit: They do not.
    """
    if sys.platform != "linux":
        raise SystemExit("bench/ reads /proc and pins processes to cores: it needs Linux")
    cores = {settings.server_core, settings.load_core}
    if len(cores) < 2 or not cores <= os.sched_getaffinity(0):
        raise SystemExit("server and load need two different cores that this process may use")


def raise_descriptor_limit() -> None:
    """Let servers and load open as many connections as the system allows."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def fit_servers(
    result: Report,
    servers: Sequence[Server],
    scenarios: Sequence[Scenario],
    environments: dict[str, Environment],
) -> list[Server]:
    """Return the servers that start; note of others why they do not."""
    fit = []
    for server in servers:
        first = next((s for s in scenarios if takes_part(server, s)), None)
        if first is None:
            continue
        environment = environments.get(server.interpreter)
        reason = result.skipped.get(server.name)
        if reason is None and environment is not None:
            reason = probe(server, first, environment, result.settings.server_core)
        if reason is None:
            fit.append(server)
        else:
            result.skipped[server.name] = reason
            say(f"{server.name} is left out: {reason}")
    return fit


def cells_of(servers: Sequence[Server], scenarios: Sequence[Scenario]) -> int:
    """Return how many pairs of a server and a scenario there are."""
    return sum(takes_part(server, scenario) for server in servers for scenario in scenarios)


def estimate(count: int, settings: Settings) -> str:
    """Say how long it takes to measure some cells."""
    seconds = count * settings.rounds * (settings.duration + settings.warmup + OVERHEAD)
    return f"{count} cells, about {max(1, round(seconds / 60))} minutes"


def begin(
    servers: Sequence[Server],
    scenarios: Sequence[Scenario],
    settings: Settings,
    earlier: Report | None,
    here: bool,
) -> tuple[Report, dict[str, Environment]]:
    """Make ready what is to be measured, and the report, or go on with an earlier one.

    Raises:
        SystemExit: The earlier one is of another checkout or of other versions.
    """
    modes = {scenario.mode for scenario in scenarios}
    environments, skipped = prepare(servers, modes, say, here)
    facts = machine_facts(environments.values(), scenarios)
    warnings = busy_warnings((settings.server_core, settings.load_core))
    for warning in warnings:
        say(f"warning: {warning}")
    if earlier is None:
        return Report(facts, settings, warnings, skipped), environments
    for name in ("machine", "python", "versions", "checkout"):
        if earlier.facts[name] != facts[name]:
            raise SystemExit(f"not the same {name}: {earlier.facts[name]!r} and {facts[name]!r}")
    warnings = [f"{warning} (resumed {facts['date']})" for warning in warnings]
    return replace(earlier, warnings=[*earlier.warnings, *warnings], skipped=skipped), environments


def carry_out(
    result: Report,
    servers: Sequence[Server],
    scenarios: Sequence[Scenario],
    environments: dict[str, Environment],
    path: Path,
) -> None:
    """Measure all that the report does not have yet; what there is, is kept at any time."""

    def keep(how: str) -> None:
        result.store(path)
        say(how)

    fit = fit_servers(result, servers, scenarios, environments)
    say(estimate(cells_of(fit, scenarios), result.settings))
    for scenario in scenarios:
        if generator(scenario) is None:
            result.skipped[scenario.name] = "wrk is not installed: `apt-get install wrk`"
            continue
        chosen = {server.name: server for server in fit if takes_part(server, scenario)}
        measure(
            {name: result.demand(name, scenario.name) for name in chosen},
            {name: (server, environments[server.interpreter]) for name, server in chosen.items()},
            scenario,
            result.settings,
            keep,
        )


def finish(result: Report, path: Path, reference: str) -> None:
    """Write all that is made of a report."""
    result.reference = reference or result.choose_reference()
    disturbances = result.disturbances()
    result.warnings = [w for w in result.warnings if reports.OTHER_WORK not in w] + disturbances
    result.store(path)
    path.with_suffix(".md").write_text(tables.markdown(result), encoding="utf-8")
    pictures.write(result, path.with_suffix(""))
    print(tables.markdown(result))
    say(f"stored in {path}, {path.with_suffix('.md')} and {path.with_suffix('')}/*.svg")


def resumed(path: Path) -> Path:
    """Return the result to go on with: a file, or the newest of a folder.

    Raises:
        SystemExit: There is none.
    """
    files = sorted(path.glob("*.json")) if path.is_dir() else [path]
    if not files or not files[-1].exists():
        raise SystemExit(f"there is no result to go on with: {path}")
    return files[-1]


def choose(options: argparse.Namespace) -> tuple[list[Server], list[Scenario]]:
    """Return the rows and the loads that the command line asks for."""
    if options.quick:
        options.servers, options.scenarios = rows.QUICK, loads.QUICK
    names = chosen_names(options.servers, (s.name for s in SERVERS))
    scenario_names = chosen_names(options.scenarios, (s.name for s in ALL_SCENARIOS))
    scenarios = [scenario for scenario in ALL_SCENARIOS if scenario.name in scenario_names]
    servers = [s for s in SERVERS if s.name in names]
    if options.servers != "*":  # Who names a row wants all of it.
        servers = [replace(server, variant=False) for server in servers]
    return [s for s in servers if any(takes_part(s, load) for load in scenarios)], scenarios


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 1 if a row of ESG that started then failed, else 0."""
    options = parse_arguments(arguments)
    servers, scenarios = choose(options)
    settings = Settings(
        options.rounds, options.duration, options.warmup, options.server_core, options.load_core
    )
    if options.list:
        print("servers:  ", ", ".join(server.name for server in servers))
        print("scenarios:", ", ".join(scenario.name for scenario in scenarios))
        print(estimate(cells_of(servers, scenarios), settings))
        return 0
    path = resumed(options.resume) if options.resume else options.output
    earlier = reports.read(path) if options.resume else None
    settings = earlier.settings if earlier else settings
    require_cores(settings)
    raise_descriptor_limit()
    for scenario in scenarios:
        if scenario.app in apps.FILES:
            apps.make_file(scenario.app)
    result, environments = begin(servers, scenarios, settings, earlier, options.here)
    time = result.facts["date"].replace(":", "").removesuffix("+0000")
    path = path or RESULTS / f"{time}.json"
    try:
        carry_out(result, servers, scenarios, environments, path)
    except KeyboardInterrupt:
        say("ended early: the rest with --resume")
    finish(result, path, options.reference)
    failed_rows = {cell.server for cell in result.cells if cell.problems}
    return int(any(server.is_ours and server.name in failed_rows for server in SERVERS))


if __name__ == "__main__":
    sys.exit(main())
