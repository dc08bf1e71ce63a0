"""What the record of a run costs: studies with it and without, by turns, in one process.

    python benchmarks/record.py [EMPLOYEES] [PAIRS]

Without, nothing is written, measured or sampled. The ratio of the medians is of CPU
seconds and of wall seconds; CPU seconds are less disturbed by other work on the machine.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

from planalign.census import generate_census
from planalign.config import parse
from planalign.engine.meter import Meter, Sampler, Usage
from planalign.record.telemetry import EventLog
from planalign.study import Request, run_study

YEARS = {"start_year": 2025, "end_year": 2029}


def without_record(stack: ExitStack) -> None:
    """Let nothing be recorded until the stack is closed."""
    nothing = Usage()
    for owner, name, stand_in in (
        (EventLog, "__call__", lambda *_, **__: None),
        (Sampler, "start", lambda _: None),
        (Meter, "begin", lambda _: nothing),
        (Meter, "end", lambda *_: None),
    ):
        stack.enter_context(patch.object(owner, name, stand_in))


def main(employees: int = 1_000, pairs: int = 10) -> None:
    """Print both medians and their ratio."""
    taken: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate_census(employees, 42, folder / "census.parquet")
        config = parse({"census": str(folder / "census.parquet"), "simulation": YEARS}, folder)
        for number in range(-1, pairs):  # the first pair warms up
            for is_recorded in (number % 2 == 0, number % 2 != 0):
                with ExitStack() as stack:
                    if not is_recorded:
                        without_record(stack)
                    cpu, wall = time.process_time(), time.perf_counter()
                    run_study(Request(config, folder / f"run-{number}-{is_recorded}"))
                if number >= 0:
                    taken[is_recorded].append(
                        (time.process_time() - cpu, time.perf_counter() - wall)
                    )
    print(f"{employees:,} employees, 5 years, {pairs} pairs; medians in seconds\n")
    print("| | with | without | ratio |\n|---|---|---|---|")
    for index, what in enumerate(("CPU", "wall")):
        recorded, bare = (
            statistics.median(one[index] for one in taken[is_recorded])
            for is_recorded in (True, False)
        )
        print(f"| {what} | {recorded:.2f} | {bare:.2f} | {recorded / bare:.3f} |")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
