"""What the engine asks of the machine: the one place where a test puts in a fault."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

if TYPE_CHECKING:
    from collections.abc import Callable


def resident_bytes() -> int:
    """Return how much memory this process occupies, in bytes."""
    try:
        pages = Path("/proc/self/statm").read_bytes().split()[1]
    except OSError:  # not Linux; importing psutil takes 30 ms
        import psutil

        return int(psutil.Process().memory_info().rss)
    return int(pages) * resource.getpagesize()


@dataclass(frozen=True)
class Machine:
    """Calls that a machine may fail, and the reading of its memory.

    `sleep` waits before an attempt; without one, the wait ends when the run stops.
    """

    connect: Callable[[str], duckdb.DuckDBPyConnection] = duckdb.connect
    rename: Callable[[Path, Path], None] = os.rename
    sleep: Callable[[float], object] | None = None
    resident_bytes: Callable[[], int] = resident_bytes
