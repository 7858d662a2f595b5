"""Run the selected cases of a target in one batch: few processes, many cases at once.

pytest asks for one outcome at a time. The first question about a target runs all its selected
cases concurrently, on one process per set of options, and keeps the outcomes.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import itertools
import sys
import traceback
from collections import defaultdict
from collections.abc import AsyncIterator, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.conformance.acquaintance import PLAIN, acquainted
from tests.conformance.applicability import not_offered
from tests.conformance.client import Timeout
from tests.conformance.digest import Line, difference, digest, told
from tests.conformance.forking import Forking
from tests.conformance.model import Case, Level
from tests.conformance.process import ServerProcess, base_environment
from tests.conformance.receive_queue import ReceiveQueue
from tests.conformance.report import render
from tests.conformance.runner import CaseRun, Observation
from tests.conformance.side_channel import SideChannel
from tests.conformance.targets import SPLIT, WHOLE, Target
from tests.conformance.verdict import unsound, violations

CONCURRENT_RUNS = 12
CONCURRENT_PROCESSES = 6
# Of another server: somebody else may have taken the port that was free a moment ago.
RETRIES = 2

Run = tuple[Case, str]  # and its mode
OptionsKey = tuple[tuple[str, ...], tuple[tuple[str, str], ...], str]


class Result(enum.Enum):
    """What one run comes to."""

    PASSED = "passed"
    FAILED = "failed"
    # Another server's own choice where ESG has made one and the specifications are open.
    DIFFERS = "differs"
    # About an extension that the server does not offer.
    INAPPLICABLE = "inapplicable"


@dataclass
class Outcome:
    """The observation of one run and every way in which it failed; `broken`: or the suite has."""

    seen: Observation
    problems: list[str]
    exact: bool
    broken: bool = False
    digest: list[Line] = field(init=False)

    def __post_init__(self) -> None:
        self.digest = [] if self.broken else list(map(sys.intern, digest(self.seen)))

    def settle(self) -> None:
        """Let go of all but the digest where there is nothing to report.

        There are thousands of runs, and some have seen many megabytes.
        """
        if not self.problems:
            seen = self.seen
            seen.clients, seen.calls, seen.lifespan, seen.log = {}, {}, [], ""

    @property
    def result(self) -> Result:
        """What the run comes to."""
        if self.broken:
            return Result.FAILED
        if self.seen.inapplicable:
            return Result.INAPPLICABLE
        if not self.problems:
            return Result.PASSED
        free = not self.exact and self.seen.case.level is Level.CHOICE
        return Result.DIFFERS if free and not unsound(self.seen) else Result.FAILED

    @property
    def passed(self) -> bool:
        """Whether it was as expected."""
        return self.result is Result.PASSED

    def spoilt(self, target: Target) -> bool:
        """Whether what another case has left behind, or a busy machine, may have failed it."""
        suspected = self.seen.in_vain or self.broken or not target.names_clients
        return self.result is Result.FAILED and suspected and not self.seen.died

    def report(self) -> str:
        """Return the failure report."""
        return render(self.seen, self.problems)


class Suite:
    """All the runs of one session."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._channel = SideChannel()
        self._queue = ReceiveQueue()
        self._tokens = itertools.count(1)
        self._outcomes: dict[tuple[str, str, str], Outcome] = {}
        self._targets: dict[str, None] = {}
        self._acquaintances: dict[str, Target] = {}
        self._forking: Forking | None = None
        self._runner.run(self._channel.open())

    def close(self) -> None:
        """Release everything."""
        self._runner.run(self._channel.close())
        self._queue.close()
        self._runner.close()

    def outcome(self, target: Target, case: Case, mode: str, selected: Iterable[Case]) -> Outcome:
        """Return the outcome of one run; run all `selected` cases of the target if need be."""
        key = (target.id, case.id, mode)
        if key not in self._outcomes:
            missing = [c for c in selected if (target.id, c.id, WHOLE) not in self._outcomes]
            self._targets[target.id] = None
            self._runner.run(self._run_target(target, missing))
        return self._outcomes[key]

    def outcomes(self) -> list[Outcome]:
        """Return the outcomes of all runs so far."""
        return list(self._outcomes.values())

    def outcomes_of(self, case: Case, mode: str) -> list[Outcome]:
        """Return the outcomes that the case has had so far, on all targets."""
        keys = ((target, case.id, mode) for target in self._targets)
        return [self._outcomes[key] for key in keys if key in self._outcomes]

    async def _run_target(self, target: Target, cases: list[Case]) -> None:
        if not target.exact:
            target = await self._acquainted(target)
            cases = [case for case in cases if not self._leave_out(target, case)]
        groups: dict[OptionsKey, list[Case]] = defaultdict(list)
        for case in cases:
            if not case.own_process:
                groups[_options_of(case)].append(case)
        limit = asyncio.Semaphore(CONCURRENT_PROCESSES)
        shared = [
            self._run_group(target, part)
            for group in groups.values()
            for part in _parts(target, group)
        ]
        own = [
            self._run_own(target, case, mode)
            for case in cases
            if case.own_process
            for mode in modes_of(target, case)
        ]
        async with self._fork_server(target), asyncio.TaskGroup() as tasks:
            for work in itertools.chain(shared, own):
                tasks.create_task(_within(limit, work))
        for case in cases:
            self._compare_modes(target, case)
            for mode in modes_of(target, case):
                self._outcome_of(target, (case, mode)).settle()

    async def _acquainted(self, target: Target) -> Target:
        """Return the target with what its server has shown of itself, if it starts at all."""
        if target.id not in self._acquaintances:
            process, problem = await self._start(target, PLAIN)
            if problem is not None:
                return target
            try:
                known = await acquainted(process, self._channel, self._queue)
            finally:
                await process.stop()
            self._acquaintances[target.id] = known
        return self._acquaintances[target.id]

    def _leave_out(self, target: Target, case: Case) -> bool:
        """Leave a case out if it is about what the server does not offer."""
        reason = not_offered(target, case)
        for mode in modes_of(target, case) if reason else ():
            seen = Observation(case, mode, target.id, target.selection, inapplicable=reason)
            self._outcomes[target.id, case.id, mode] = Outcome(seen, [], target.exact)
        return reason is not None

    @contextlib.asynccontextmanager
    async def _fork_server(self, target: Target) -> AsyncIterator[None]:
        """Have the target's fork server run, if it can have one."""
        if not target.preloads:
            yield
            return
        self._forking = Forking()
        await self._forking.open(target.python, target.preloads, base_environment())
        try:
            yield
        finally:
            await self._forking.close()
            self._forking = None

    async def _run_group(self, target: Target, cases: list[Case]) -> None:
        """Run the cases of one set of options on one process.

        Of another server, one case may end the process without failing all others: those that ran
        then run again on processes of their own, and those that came later on another shared one.
        So does a run that waited in vain, and any failed one if calls cannot be told apart: what
        another case has left behind, and a busy machine, are no fault of the case.
        """
        chosen = runs = [(case, mode) for case in cases for mode in modes_of(target, case)]
        await self._run_shared(target, runs)
        while runs := [run for run in runs if self._outcome_of(target, run).seen.died]:
            if target.exact:
                return
            await self._run_each_on_its_own(target, runs[:CONCURRENT_RUNS])
            runs = runs[CONCURRENT_RUNS:]
            await self._run_shared(target, runs)
        if not target.exact:
            await self._run_again(target, chosen)

    async def _run_again(self, target: Target, runs: list[Run]) -> None:
        """Run once more what others may have spoilt."""
        again = [run for run in runs if self._outcome_of(target, run).spoilt(target)]
        await self._run_each_on_its_own(target, again)

    async def _run_each_on_its_own(self, target: Target, runs: list[Run]) -> None:
        """Run cases on processes of their own."""
        limit = asyncio.Semaphore(CONCURRENT_PROCESSES)
        async with asyncio.TaskGroup() as tasks:
            for case, mode in runs:
                tasks.create_task(_within(limit, self._run_own(target, case, mode)))

    def _outcome_of(self, target: Target, run: Run) -> Outcome:
        case, mode = run
        return self._outcomes[target.id, case.id, mode]

    async def _run_shared(self, target: Target, runs: list[Run]) -> None:
        limit = asyncio.Semaphore(CONCURRENT_RUNS)
        process = await self._started(target, runs) if runs else None
        if process is None:
            return
        try:
            async with asyncio.TaskGroup() as tasks:
                for case, mode in runs:
                    if not _by_itself(target, case):
                        tasks.create_task(_within(limit, self._run(target, process, case, mode)))
            for case, mode in runs:
                if _by_itself(target, case):
                    await self._run(target, process, case, mode)
            for outcome in (self._outcome_of(target, run) for run in runs):
                # It has lost its connection to what another case has done to the server.
                failed = outcome.result is Result.FAILED
                outcome.seen.died |= failed and process.was_ending(outcome.seen.ended)
        finally:
            await process.stop()

    async def _run_own(self, target: Target, case: Case, mode: str) -> None:
        """Run a case on a process of its own."""
        process = await self._started(target, [(case, mode)])
        if process is None:
            return
        try:
            await self._run(target, process, case, mode, suspected=True)
        finally:
            await process.stop()

    async def _started(self, target: Target, runs: list[Run]) -> ServerProcess | None:
        """Start the process for these runs; when it does not start, all of them have failed."""
        case = runs[0][0]
        retries = 0 if target.exact or not case.listens else RETRIES
        process, problem = await self._start(target, case)
        while problem and retries:
            retries -= 1
            process, problem = await self._start(target, case)
        if problem is None:
            return process
        for case, mode in runs:
            seen = Observation(case, mode, target.id, target.selection)
            seen.log, seen.problems = process.log_text, [problem]
            failed = Outcome(seen, seen.problems, target.exact)
            self._outcomes[target.id, case.id, mode] = failed
        return None

    async def _start(self, target: Target, case: Case) -> tuple[ServerProcess, str | None]:
        """Start one process; return it, stopped if there is a problem, and that problem."""
        # The process that most cases share is started by the target's own command line.
        forking = self._forking if case.own_process or case.options else None
        process = ServerProcess(target, self._channel, f"p{next(self._tokens)}", forking)
        await process.launch(case)
        try:
            if not case.listens or await process.listening():
                return process, None
            problem = f"the server did not start: it exited with {process.exit_code}"
        except Timeout as error:
            problem = str(error)
        await process.stop()
        return process, problem

    async def _run(
        self,
        target: Target,
        process: ServerProcess,
        case: Case,
        mode: str,
        *,
        suspected: bool = False,
    ) -> None:
        """Run a case; of one that is suspected to end the server, see whether it does."""
        run = CaseRun(case, process, self._channel, self._queue, mode)
        try:
            seen = await run.run()
            seen.ended = asyncio.get_running_loop().time()
            if not case.own_process:
                seen.died = await self._has_died(target, process, seen, suspected)
            outcome = Outcome(seen, violations(seen, target.exact), target.exact)
        except Exception:  # Whatever a server has said, the other cases go on.
            problem = f"the suite itself has failed: {traceback.format_exc()}"
            outcome = Outcome(run.seen, [problem], target.exact, broken=True)
        self._outcomes[target.id, case.id, mode] = outcome
        if len(modes_of(target, case)) == 1:
            outcome.settle()

    async def _has_died(
        self, target: Target, process: ServerProcess, seen: Observation, suspected: bool
    ) -> bool:
        """Tell whether the server has died, as a problem of the run."""
        suspected |= seen.in_vain
        refuses = not target.exact and await process.notice_death(suspected)
        if process.exit_code is not None:
            seen.problems.append(f"the server process has died with {process.exit_code}")
        elif refuses:
            seen.problems.append("the server accepts connections no more")
        return refuses or process.exit_code is not None

    def _compare_modes(self, target: Target, case: Case) -> None:
        """Hold the split run to the verdict of the whole run."""
        whole = self._outcomes[target.id, case.id, WHOLE]
        split = self._outcomes.get((target.id, case.id, SPLIT))
        if split is None or not (target.exact or (whole.passed and split.passed)):
            return
        if lines := _differences(whole, split):
            split.problems.append("the split run differs from the whole run (-):")
            split.problems += [f"    {line}" for line in lines]


def _differences(whole: Outcome, split: Outcome) -> list[Line]:
    """Return in what two runs differ that must not: of another server, what it has told."""
    if whole.exact:
        return difference(whole.digest, split.digest)
    calls = [sum(map(len, outcome.seen.calls.values())) for outcome in (whole, split)]
    if whole.seen.case.or_else and len(set(calls)) > 1:
        return []  # It may refuse before the application is called, or after.
    return difference(told(whole.seen), told(split.seen))


def _options_of(case: Case) -> OptionsKey:
    """Return what cases must have in common to share a process."""
    return case.options, tuple(sorted(case.environment.items())), case.application


def _parts(target: Target, cases: list[Case]) -> list[list[Case]]:
    """Spread cases that must run one after the other over several processes."""
    if target.names_clients:
        return [cases]
    parts = (cases[first::CONCURRENT_PROCESSES] for first in range(CONCURRENT_PROCESSES))
    return [part for part in parts if part]


def _by_itself(target: Target, case: Case) -> bool:
    """Tell whether no other case may run on the process meanwhile."""
    return case.alone or case.client_is_told or not target.names_clients


def modes_of(target: Target, case: Case) -> list[str]:
    """Return the modes in which a case runs on a target."""
    return [mode for mode in target.modes if mode == WHOLE or case.splittable]


async def _within(limit: asyncio.Semaphore, work: Coroutine[Any, Any, None]) -> None:
    async with limit:
        await work
