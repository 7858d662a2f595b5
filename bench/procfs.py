"""What /proc says of processes and of the machine (Linux only, see proc(5))."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


@dataclass(frozen=True)
class CpuTime:
    """CPU time in seconds."""

    user: float
    system: float

    @property
    def total(self) -> float:
        """Return user and system time together."""
        return self.user + self.system

    def since(self, earlier: CpuTime) -> CpuTime:
        """Return what was used since `earlier`."""
        return CpuTime(self.user - earlier.user, self.system - earlier.system)


def _stat_fields(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat that follow the command name, the state first."""
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def process_tree(root: int) -> list[int]:
    """Return the process ids of `root`, its descendants and everything in its session."""
    parents: dict[int, int] = {}
    members: set[int] = {root}
    for entry in PROC.iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = _stat_fields(int(entry.name))
        except (FileNotFoundError, ProcessLookupError):
            continue  # It ended while the folder was read.
        parents[int(entry.name)] = int(fields[1])
        if int(fields[3]) == root:
            members.add(int(entry.name))
    grown = True
    while grown:
        children = {pid for pid, parent in parents.items() if parent in members}
        grown = not children <= members
        members |= children
    return sorted(members)


def cpu_time(root: int) -> CpuTime:
    """Return the CPU time of a process tree, that of children already waited for included."""
    user = system = 0
    for pid in process_tree(root):
        fields = _stat_fields(pid)
        user += int(fields[11]) + int(fields[13])
        system += int(fields[12]) + int(fields[14])
    return CpuTime(user / TICKS_PER_SECOND, system / TICKS_PER_SECOND)


def peak_rss(root: int) -> int:
    """Return the peak resident memory of a process tree in KiB, summed over its processes."""
    return _memory(root, "VmHWM:")


def rss(root: int) -> int:
    """Return the resident memory of a process tree in KiB, summed over its processes."""
    return _memory(root, "VmRSS:")


def _memory(root: int, field: str) -> int:
    """Return a field of /proc/PID/status, summed over a process tree."""
    total = 0
    for pid in process_tree(root):
        for line in (PROC / str(pid) / "status").read_text().splitlines():
            if line.startswith(field):
                total += int(line.split()[1])
    return total


def core_busy_time(core: int) -> float:
    """Return the seconds that a core has worked since the machine started, stolen ones included."""
    for line in (PROC / "stat").read_text().splitlines():
        name, *counts = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, counts[:8])
            return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND
    raise ValueError(f"this machine has no core {core}")


def busy_share(core: int, seconds: float) -> float:
    """Watch a core for some seconds and return the share of them that it worked, 0 to 1."""
    start, busy = time.monotonic(), core_busy_time(core)
    time.sleep(seconds)  # The time that passes is what is measured.
    return (core_busy_time(core) - busy) / (time.monotonic() - start)


def cpu_model() -> str:
    """Return the processor's name."""
    for line in (PROC / "cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown processor"
