"""What a block costs a worker and the parent, and how many workers feed one parent.

Usage: python benchmarks/blocks.py [EMPLOYEES] [YEARS]. Simulates blocks of three sizes with two
workers of one thread, prints the CPU seconds of each, the straight lines through them, and with
them 1,000 made-up workers on paper.
"""

from __future__ import annotations

import heapq
import json
import random
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression, median

from planalign.census import generate_census
from planalign.config import parse
from planalign.study import Request, run_study

SEEDS = (2, 8, 32)
# Blocks of each size: two for each worker.
BLOCKS = 4
WORKERS = 1_000
# How far a block may be from the line, as a part of it: a sigma of what was measured.
SPREAD = 0.15


@dataclass(frozen=True)
class Line:
    """Seconds of a block: `fixed`, and for each employee that it begins with."""

    fixed: float
    per_employee: float

    def of(self, employees: int) -> float:
        """Return the seconds of a block of so many employees."""
        return self.fixed + self.per_employee * employees


@dataclass(frozen=True)
class Crowd:
    """What made-up workers and their parent did: blocks a second, and the busy parts of both."""

    blocks_a_second: float
    workers_busy: float
    parent_busy: float


def measured(run: Path) -> tuple[list[float], list[float]]:
    """Return CPU seconds of each block of one thread at its worker, and of its merging."""
    lines = map(json.loads, (run / "events.jsonl").open(encoding="utf-8"))
    merged = [event for event in lines if event["kind"] == "block_merged"]
    return [one["worker_cpu_seconds"] for one in merged], [one["cpu_seconds"] for one in merged]


def crowd(
    workers: int, working: float, merging: float, *, blocks: int = 10_000, ahead: int = 2
) -> Crowd:
    """Let workers do blocks whose seconds are drawn around what was measured, on paper.

    The parent merges one block after the other, and hands out as many more as it has
    merged, `ahead` for each worker to begin with, as `SideBySide` does.
    """
    draw = random.Random(1)  # noqa: S311 - no secret

    def near(seconds: float) -> float:
        return seconds * max(0.1, draw.gauss(1.0, SPREAD))

    free = [0.0] * workers  # when each worker has done what it has
    ended: list[float] = []
    left, now, spent, busy = blocks, 0.0, 0.0, 0.0

    def hand_out(at: float) -> None:
        nonlocal spent, left
        seconds = near(working)
        end = max(at, heapq.heappop(free)) + seconds
        heapq.heappush(free, end)
        heapq.heappush(ended, end)
        spent, left = spent + seconds, left - 1

    for _ in range(min(blocks, ahead * workers)):
        hand_out(0.0)
    while ended:
        seconds = near(merging)
        now = max(now, heapq.heappop(ended)) + seconds
        busy += seconds
        if left:
            hand_out(now)
    return Crowd(blocks / now, spent / (now * workers), busy / now)


def main() -> None:
    """Measure, fit and print."""
    employees = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    years = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    sizes, at_work, at_merge = [], [], []
    with tempfile.TemporaryDirectory(prefix="planalign-blocks-") as scratch:
        census = Path(scratch, "census.parquet")
        generate_census(employees, 42, census)
        for seeds in SEEDS:
            config = parse(
                {
                    "census": str(census),
                    "simulation": {
                        "start_year": 2025,
                        "end_year": 2024 + years,
                        "replicates": seeds * BLOCKS,
                    },
                    "resources": {
                        "workers": 2,
                        "threads": 2,
                        "employees_per_block": seeds * employees,
                    },
                },
                Path(scratch),
            )
            done = run_study(Request(config, output=Path(scratch, str(seeds))))
            working, merging = measured(done.path)
            sizes.append(seeds * employees)
            at_work.append(median(working))
            at_merge.append(median(merging))
            print(f"{sizes[-1]:>8,} employees: {at_work[-1]:.2f} s, merged in {at_merge[-1]:.2f} s")
    lines = []
    for name, seconds in (("a worker", at_work), ("the parent", at_merge)):
        fit = linear_regression(sizes, seconds)
        lines.append(Line(max(0.0, fit.intercept), fit.slope))
        print(
            f"{name}: {lines[-1].fixed:.2f} s a block of {years} years, and "
            f"{lines[-1].per_employee * 1e6 / years:.1f} s for a million employees and years"
        )
    for size in (10_000, 100_000, 1_000_000):
        working, merging = (line.of(size) for line in lines)
        found = crowd(WORKERS, working, merging)
        print(
            f"blocks of {size:,}: {working / merging:.0f} workers feed one parent; of {WORKERS:,} "
            f"{found.workers_busy * WORKERS:.0f} would be busy, the parent {found.parent_busy:.0%}"
        )


if __name__ == "__main__":
    main()
