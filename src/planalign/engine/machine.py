"""What the engine asks of the machine: the one place where a test puts in a fault."""

from __future__ import annotations

import os
import resource
import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class Reading:
    """Counters of this process at an instant, with those of commands that it has run.

    `resident_bytes` are occupied now and `spilled_bytes` in temporary files of the
    database; CPU seconds, of user and system, and bytes read and written by calls to
    the system, from the file cache too, have been counted since the process began. None
    where the system does not tell.
    """

    resident_bytes: int
    cpu_seconds: float
    read_bytes: int | None
    written_bytes: int | None
    spilled_bytes: int = 0


@cache
def _opened(path: str, process: int) -> tuple[int, os.stat_result]:  # noqa: ARG001 - not of its children
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    return descriptor, os.fstat(descriptor)


def _told(path: str) -> bytes:
    """Read a file of /proc, which stays open: opening it takes ten times as long.

    Raises:
        OSError: the system has none.
    """
    descriptor, opened = _opened(path, os.getpid())
    try:
        is_open = os.path.samestat(opened, os.fstat(descriptor))
    except OSError:
        is_open = False
    if not is_open:  # by a program that uses us: it may have opened others since
        _opened.cache_clear()
        descriptor, _ = _opened(path, os.getpid())
    return os.pread(descriptor, 65_536, 0)


def resident_bytes() -> int:
    """Return how much memory this process occupies, in bytes."""
    try:
        pages = _told("/proc/self/statm").split()[1]
    except OSError:  # not Linux; importing psutil takes 30 ms
        import psutil

        return int(psutil.Process().memory_info().rss)
    return int(pages) * resource.getpagesize()


def with_children() -> int:
    """Return how much memory this process and the commands that it runs occupy, in bytes."""
    import psutil

    total = 0
    here = psutil.Process()
    for process in (here, *here.children(recursive=True)):
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:  # it has ended meanwhile
            continue
    return total


def cpu_seconds() -> float:
    """Return the CPU seconds of this process, and of the commands that it has run."""
    ended = os.times()  # in hundredths of a second, which will do for whole commands
    return time.process_time() + ended.children_user + ended.children_system


def cpu_seconds_with_children() -> float:
    """Return the CPU seconds of this process and of all that it has started."""
    import psutil

    total = cpu_seconds()
    for process in psutil.Process().children(recursive=True):
        try:
            spent = process.cpu_times()
        except psutil.NoSuchProcess:  # it has ended meanwhile
            continue
        total += spent.user + spent.system
    return total


def reading(memory: Callable[[], int], cpu: Callable[[], float], temporary: Path) -> Reading:
    """Return the counters, with what a folder of temporary files holds."""
    read = written = None
    try:
        counters = dict(line.split(b": ") for line in _told("/proc/self/io").splitlines())
    except OSError:
        counters = {}
    if counters:
        read, written = int(counters[b"rchar"]), int(counters[b"wchar"])
    return Reading(memory(), cpu(), read, written, _bytes_in(temporary))


def _bytes_in(folder: Path) -> int:
    total = 0
    try:
        with os.scandir(folder) as files:
            for file in files:
                total += file.stat().st_size
    except OSError:  # nothing was spilled, or it is gone again
        pass
    return total


def busy_by_core() -> list[tuple[int, int]]:
    """Return, for each core of the machine, how long it was busy and how long it was there.

    In ticks of the system's clock; nothing where the system does not tell.
    """
    try:
        lines = _told("/proc/stat").decode("ascii").splitlines()
    except OSError:
        return []
    cores = []
    for line in lines:
        name, _, rest = line.partition(" ")
        if name.startswith("cpu") and name != "cpu":
            # user, nice, system, idle, iowait, irq, softirq, steal; guests are in user.
            ticks = [int(part) for part in rest.split()[:8]]
            cores.append((sum(ticks) - ticks[3] - ticks[4], sum(ticks)))
    return cores


@dataclass(frozen=True)
class Machine:
    """Calls that a machine may fail, and the reading of its memory.

    `sleep` waits before an attempt; without one, the wait ends when the run stops.
    """

    connect: Callable[[str], duckdb.DuckDBPyConnection] = duckdb.connect
    rename: Callable[[Path, Path], None] = os.rename
    sleep: Callable[[float], object] | None = None
    resident_bytes: Callable[[], int] = resident_bytes
    cpu_seconds: Callable[[], float] = cpu_seconds
