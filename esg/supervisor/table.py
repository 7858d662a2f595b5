"""The workers' states, and what is to be done about them: no processes, no clock.

    STARTING --ready--> SERVING --retire--> RETIRING --+
        |                  |                           |
        +---- terminate ---+--------> STOPPING --------+--> ended (leaves the table)

There is one way to replace a worker: mark it, start another, and once that one is ready let the
marked one retire. Marked are workers of a former generation (a new configuration), and those that
have had enough: requests, age, memory. A worker that is gone or no longer answers needs no mark; the
table just counts one too few.

`decide` says what to do now, `deadline` when to ask again though nothing happens. Times are
monotonic seconds, bounds of 0 mean none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

# A worker that ends before it has served this long counts as one more of a series of failures.
STABLE_AFTER: Final = 10.0  # seconds
# A failure that is so long ago is not one of a series any more.
FORGET_AFTER: Final = 60.0  # seconds
# Before the second, third, ... start of a series; the first is immediate.
_BACKOFF: Final = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)  # seconds
# So many starts in a row may fail while no worker serves.
START_ATTEMPTS: Final = 4
# Between TERM and KILL for a worker that does not answer.
UNANSWERED: Final = 2.0  # seconds
# What a worker is given beyond its own bounds, before it is killed.
SLACK: Final = 10.0  # seconds
# For a second signal to take effect; see `process` and `server`.
FORCED: Final = 8.0  # seconds
# For requests in flight when a file has changed; then they are cut short.
RELOAD_PATIENCE: Final = 1.0  # seconds


class State(Enum):
    """Where a worker is in its life."""

    STARTING = "starting"
    SERVING = "serving"
    RETIRING = "retiring"
    STOPPING = "stopping"


class Act(Enum):
    """What is to be done with a worker."""

    START = "start"
    ANNOUNCE = "say that it is to be replaced"
    RETIRE = "retire"
    DUMP = "dump its stacks"
    TERMINATE = "terminate"
    FORCE = "terminate at once"
    KILL = "kill"


Decision: TypeAlias = tuple[Act, int]


@dataclass(frozen=True, slots=True)
class Policy:
    """Hold the bounds.

    Args:
        workers: how many are to serve.
        reload: the only one is stopped before another one starts, and only a change starts it.
        max_age: after which one is replaced.
        silence: of a blocked loop, after which one is replaced.
        stop_bound: within which one stops.
    """

    workers: int = 1
    reload: bool = False
    max_age: float = 0.0
    silence: float = 0.0
    stop_bound: float = 0.0


@dataclass(slots=True)
class Member:
    """One worker.

    Attributes:
        since: when it came into its state.
        beat: when its loop last ran.
        marked: why another is to take its place; "" if none is.
        silent: it was told to stop because its loop was blocked.
        kill_at: when it is killed if it still runs.
        force_at: when it is told not to wait for requests in flight.
    """

    number: int
    generation: int
    since: float
    state: State = State.STARTING
    beat: float = -math.inf
    marked: str = ""
    silent: bool = False
    kill_at: float = math.inf
    force_at: float = math.inf


class WorkerTable:
    """Decide which workers start and which end.

    Args:
        policy: the bounds.

    Attributes:
        members: by number.
        wanted: how many are to serve.
        stopping: all are to end.
        failure: why, if it is not that somebody asked for it.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.members: dict[int, Member] = {}
        self.wanted = policy.workers
        self.stopping = False
        self.failure = ""
        self._generation = 0
        self._numbers = 0
        self._due: list[Decision] = []
        self._failures = 0  # in a row
        self._failed_at = -math.inf
        self._not_before = -math.inf  # no worker is started earlier
        self._has_served = False
        self._parked = False  # where files are watched: nothing starts until they change

    # What happens.

    def ready(self, number: int, now: float) -> None:
        """Take note that a worker serves."""
        member = self.members[number]
        if member.state is State.STARTING:
            member.state, member.since, member.beat = State.SERVING, now, now
            self._has_served = True

    def beat(self, number: int, when: float) -> None:
        """Take note that a worker's loop has run."""
        member = self.members[number]
        member.beat = max(member.beat, when)
        if member.silent and when > member.since:
            member.silent = False
            member.kill_at = when + self._stop_bound()

    def mark(self, number: int, reason: str) -> bool:
        """Have another take the place of a worker; tell whether that is news."""
        member = self.members[number]
        news = member.state is State.SERVING and not member.marked
        member.marked = member.marked or reason
        return news

    def leave(self, number: int, now: float) -> bool:
        """Take note that a worker has begun to retire by itself; tell whether that is news."""
        member = self.members[number]
        news = member.state is State.SERVING
        if news:
            self._retire(member, now)
        return news

    def ended(self, number: int, now: float, failure: str = "") -> bool:
        """Take note that a worker's process is gone; tell whether nobody had asked for that.

        Args:
            number: of the worker.
            now: the time.
            failure: what it said if it could not start.
        """
        member = self.members.pop(number)
        if self.stopping or member.state in (State.RETIRING, State.STOPPING):
            return False
        stable = member.state is State.SERVING and now - member.since >= STABLE_AFTER
        if stable or now - self._failed_at >= FORGET_AFTER:
            self._failures = 0
        self._not_before = now + _BACKOFF[min(self._failures, len(_BACKOFF) - 1)]
        self._failures += 1
        self._failed_at = now
        if member.state is State.STARTING:
            self._start_failed(failure, now)
        return True

    def renew(self, now: float) -> None:
        """Have others take the place of all workers: the configuration or the files are new."""
        self._generation += 1
        self._failures = 0
        self._not_before = now
        self._parked = False

    def resize(self, wanted: int) -> None:
        """Change how many are to serve."""
        self.wanted = max(1, wanted)

    def stop(self, now: float, failure: str = "") -> None:
        """Have all workers stop; a second time, at once."""
        bound = FORCED if self.stopping else self._stop_bound()
        for member in self.members.values():
            self._due += self._terminate(member, now, bound)
            if self.stopping:
                self._due.append((Act.FORCE, member.number))
        self.stopping = True
        self.failure = self.failure or failure

    # What follows.

    def decide(self, now: float) -> list[Decision]:
        """Return what is to be done now; what it returns counts as done."""
        done = [(act, number) for act, number in self._due if number in self.members]
        self._due = []
        for member in self.members.values():
            done += self._overdue(member, now)
        if self.stopping:
            return done
        if self.policy.reload:
            return done + self._decide_reload(now)
        return done + self._replace(now)

    def deadline(self, now: float) -> float:
        """Return when to ask again at the latest."""
        times = [t for m in self.members.values() for t in (m.kill_at, m.force_at)]
        if self._not_before > now:
            times.append(self._not_before)
        if self.policy.max_age and not self.stopping:
            times += [
                m.since + self.policy.max_age for m in self._in(State.SERVING) if not m.marked
            ]
        return min(times, default=math.inf)

    @property
    def finished(self) -> bool:
        """Tell whether all is over."""
        return self.stopping and not self.members

    @property
    def serving(self) -> list[Member]:
        """The workers that serve, marked ones among them."""
        return self._in(State.SERVING)

    def is_newest(self, number: int) -> bool:
        """Tell whether a worker is of the newest generation."""
        return self.members[number].generation == self._generation

    @property
    def has_old(self) -> bool:
        """Tell whether workers serve that are of a former generation."""
        return any(m.generation < self._generation for m in self.serving)

    @property
    def renewing(self) -> bool:
        """Tell whether workers of the newest generation are still to come."""
        fresh = [m for m in self.serving if not self._is_marked(m)]
        return not self.stopping and (self.has_old or len(fresh) < self.wanted)

    def keep_old(self) -> None:
        """Give up the renewal: what serves by now serves on."""
        for member in self.members.values():
            member.generation = self._generation

    def _in(self, state: State) -> list[Member]:
        return [m for m in self.members.values() if m.state is state]

    def _stop_bound(self) -> float:
        return self.policy.stop_bound + SLACK if self.policy.stop_bound else math.inf

    def _start_failed(self, failure: str, now: float) -> None:
        if self.policy.reload:
            self._parked = True
        elif self.serving:
            return
        elif (failure and not self._has_served) or self._failures >= START_ATTEMPTS:
            self.stop(now, failure or "the workers end before they serve")

    def _overdue(self, member: Member, now: float) -> list[Decision]:
        if now >= member.kill_at:
            member.kill_at = math.inf
            return [(Act.KILL, member.number)]
        if now >= member.force_at:
            member.force_at = math.inf
            return [(Act.FORCE, member.number)]
        silence = self.policy.silence
        runs = member.state in (State.SERVING, State.RETIRING)
        if silence and runs and now - member.beat > silence:
            member.marked = f"its event loop has been blocked for {now - member.beat:.1f} s"
            member.silent = True
            return [(Act.DUMP, member.number), *self._terminate(member, now, UNANSWERED)]
        return []

    def _terminate(self, member: Member, now: float, bound: float) -> list[Decision]:
        if member.state is not State.STOPPING:
            member.state, member.since = State.STOPPING, now
        member.kill_at = min(member.kill_at, now + bound)
        return [(Act.TERMINATE, member.number)]

    def _is_too_old(self, member: Member, now: float) -> bool:
        age = self.policy.max_age
        return bool(age) and not member.marked and now - member.since >= age

    def _mark_old(self, member: Member) -> Decision:
        member.marked = f"it has served for {self.policy.max_age:g} s (--worker-max-age)"
        return (Act.ANNOUNCE, member.number)

    def _retire(self, member: Member, now: float) -> None:
        member.state, member.since = State.RETIRING, now
        member.kill_at = now + self._stop_bound()

    def _replace(self, now: float) -> list[Decision]:
        """Start who is missing, and let go who has been replaced."""
        serving = self.serving
        decisions = [self._mark_old(m) for m in serving if self._is_too_old(m, now)]
        marked = [m for m in serving if self._is_marked(m)]
        kept = [m for m in serving if not self._is_marked(m)]
        starting = 0
        for member in self._in(State.STARTING):
            if self._is_marked(member):  # it would have to leave as soon as it has come
                decisions += self._terminate(member, now, FORCED)
            else:
                starting += 1
        decisions += self._start_missing(len(kept), len(marked), starting, now)
        # Those that are marked leave first, then the oldest.
        surplus = len(serving) - self.wanted
        leaving = sorted(marked, key=_age) + sorted(kept, key=_age)
        for member in leaving[: max(0, surplus)]:
            self._retire(member, now)
            decisions.append((Act.RETIRE, member.number))
        return decisions

    def _start_missing(self, kept: int, marked: int, starting: int, now: float) -> list[Decision]:
        missing = self.wanted - kept - starting
        if missing <= 0 or now < self._not_before:
            return []
        # Where all places are taken, one more than wanted may run; after failures, one at a time.
        room = max(1 if marked else 0, self.wanted - kept - marked) - starting
        if self._failures > 1:
            room = min(room, 1 - starting)
        return [self._start(now) for _ in range(min(missing, room))]

    def _start(self, now: float) -> Decision:
        self._numbers += 1
        self.members[self._numbers] = Member(self._numbers, self._generation, now)
        return (Act.START, self._numbers)

    def _is_marked(self, member: Member) -> bool:
        return bool(member.marked) or member.generation < self._generation

    def _decide_reload(self, now: float) -> list[Decision]:
        """Of the only worker: stop it, wait for its end, start another."""
        decisions: list[Decision] = []
        for member in self.members.values():
            if member.state is not State.STOPPING and self._is_marked(member):
                decisions += self._terminate(member, now, RELOAD_PATIENCE + FORCED)
                member.force_at = now + RELOAD_PATIENCE
        if not self.members and not self._parked and now >= self._not_before:
            decisions.append(self._start(now))
        return decisions


def _age(member: Member) -> tuple[float, int]:
    return (member.since, member.number)
