"""What processes have cost so far: CPU seconds and memory, from /proc."""

import os
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@dataclass(frozen=True)
class Memory:
    """What the processes of a tree hold, in MiB; shared pages are divided among them."""

    processes: int
    proportional_mib: float
    largest_mib: float


def tree_of(roots: Iterable[int]) -> list[int]:
    """Return these processes and everything below them."""
    children = defaultdict(list)
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (fields := _read_stat(int(entry.name))):
            children[int(fields[1])].append(int(entry.name))
    found, waiting = [], list(roots)
    while waiting:
        process = waiting.pop()
        found.append(process)
        waiting += children[process]
    return found


def cpu_seconds(roots: Iterable[int]) -> float:
    """Return user and system time of the trees so far, with what ended below them."""
    ticks = 0
    for process in tree_of(roots):
        if fields := _read_stat(process):
            ticks += sum(int(value) for value in fields[11:15])
    return ticks / _TICKS


def memory_of(roots: Iterable[int]) -> Memory:
    """Return what the trees hold now."""
    shares = [share for process in tree_of(roots) if (share := _proportional_kib(process))]
    return Memory(len(shares), sum(shares) / 1024, max(shares, default=0) / 1024)


def _read_stat(process: int) -> list[str]:
    """Return the fields after the name of the program; nothing if it has ended."""
    try:
        text = (_PROC / str(process) / "stat").read_text()
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _proportional_kib(process: int) -> int:
    try:
        text = (_PROC / str(process) / "smaps_rollup").read_text()
    except OSError:
        return 0
    match = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    return int(match[1]) if match else 0
