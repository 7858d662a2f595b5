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
from pathlib import Path

import apps
import procfs
import report as reports
import websocket_load
import wrk
from environment import BENCH, CHECKOUT, Environment, prepare
from measure import Settings, measure, probe, takes_part
from report import Report
from scenarios import ALL_SCENARIOS, SCENARIOS, AnyScenario
from servers import FILES, HTTP, SERVERS, WEBSOCKET, Server

BUSY_SHARE = 0.1
BUSY_LOAD = 0.5
LISTED_VERSIONS = (
    *("esg", "uvicorn", "httptools", "h11", "uvloop", "anyio", "trio", "hypercorn"),
    *("granian", "fastpysgi", "h2corn", "gunicorn", "websockets", "wsproto", "picows"),
)


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
    parser.add_argument(
        "--scenarios",
        default=",".join(scenario.name for scenario in SCENARIOS),
        help="which loads (default: those of HTTP; 'file-*' for files, 'ws-*' for WebSocket)",
    )
    parser.add_argument("--rounds", type=_at_least(1), default=3, help="default: 3")
    parser.add_argument("--duration", type=_at_least(1), default=2, help="seconds (default: 2)")
    parser.add_argument("--warmup", type=_at_least(0), default=1, help="seconds (default: 1)")
    parser.add_argument("--server-core", type=int, default=0, help="default: 0")
    parser.add_argument("--load-core", type=int, default=1, help="default: 1")
    parser.add_argument("--reference", default="", help="the row that the others are divided by")
    parser.add_argument("--output", type=Path, help="JSON file (default: results/<time>.json)")
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


def machine_facts(environment: Environment) -> dict[str, str]:
    """Say on what this run is done."""
    versions = environment.versions()
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    return {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "machine": f"{procfs.cpu_model()}, {os.cpu_count()} cores, {platform.machine()}",
        "kernel": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "versions": ", ".join(f"{n} {versions[n]}" for n in LISTED_VERSIONS if n in versions),
        "checkout": checkout_revision(),
        "load average before": load,
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


def require_load(protocols: Iterable[str]) -> None:
    """Check that what puts the load of some protocols is there.

    Raises:
        LoadError: It is not.
    """
    requirements = {HTTP: wrk.require, FILES: wrk.require, WEBSOCKET: websocket_load.require}
    for protocol in protocols:
        requirements[protocol]()


def raise_descriptor_limit() -> None:
    """Let servers and load open as many connections as the system allows."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def fit_servers(
    servers: Sequence[Server],
    scenarios: Sequence[AnyScenario],
    environment: Environment,
    skipped: dict[str, str],
    core: int,
) -> list[Server]:
    """Return the servers that start and answer to the simplest load; say of others why not."""
    fit = []
    for server in servers:
        first = next((s for s in scenarios if takes_part(server, s)), None)
        if first is None:
            continue
        reason = skipped.get(server.name) or probe(server, first, environment, core)
        if reason is None:
            fit.append(server)
        else:
            skipped[server.name] = reason
            say(f"{server.name} is left out: {reason}")
    return fit


def run(
    servers: Sequence[Server], scenarios: Sequence[AnyScenario], settings: Settings, reference: str
) -> Report:
    """Do the whole measurement."""
    servers = [server for server in servers if any(takes_part(server, s) for s in scenarios)]
    environment, skipped = prepare(servers, say)
    warnings = busy_warnings((settings.server_core, settings.load_core))
    for warning in warnings:
        say(f"warning: {warning}")
    result = Report(machine_facts(environment), settings, warnings, skipped)
    fit = fit_servers(servers, scenarios, environment, skipped, settings.server_core)
    for scenario in scenarios:
        result.cells += measure(fit, scenario, environment, settings, say)
    result.reference = reference or reports.choose_reference(result)
    result.warnings += reports.disturbance_warnings(result)
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 1 if a row of ESG that started then failed, else 0."""
    options = parse_arguments(arguments)
    server_names = chosen_names(options.servers, (s.name for s in SERVERS))
    scenario_names = chosen_names(options.scenarios, (s.name for s in ALL_SCENARIOS))
    scenarios = [scenario for scenario in ALL_SCENARIOS if scenario.name in scenario_names]
    if options.list:
        print("servers:  ", ", ".join(s.name for s in SERVERS if s.name in server_names))
        print("scenarios:", ", ".join(s.name for s in scenarios))
        return 0
    settings = Settings(
        options.rounds, options.duration, options.warmup, options.server_core, options.load_core
    )
    try:
        require_load({scenario.protocol for scenario in scenarios})
        for scenario in scenarios:
            if scenario.app in apps.FILES:
                apps.make_file(scenario.app)
    except wrk.LoadError as error:
        raise SystemExit(str(error)) from error
    require_cores(settings)
    raise_descriptor_limit()
    result = run(
        [server for server in SERVERS if server.name in server_names],
        scenarios,
        settings,
        options.reference,
    )
    time = result.facts["date"].replace(":", "").removesuffix("+0000")
    path = options.output or BENCH / "results" / f"{time}.json"
    reports.store(result, path)
    print(reports.markdown(result))
    say(f"stored in {path}")
    failed_rows = {cell.server for cell in result.cells if cell.problems}
    return int(any(server.is_ours and server.name in failed_rows for server in SERVERS))


if __name__ == "__main__":
    sys.exit(main())
