"""What the product promises of speed and memory: a target, and the figure of this machine."""

from __future__ import annotations

import compileall
import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import planalign
from planalign.bench.measure import Workload
from planalign.engine.compiler import SHIPPED, pipeline_for
from planalign.engine.project import Project
from planalign.errors import ModelError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from planalign.bench.measure import Bench

_REPEATS = 3
# In a checkout; it is no part of the package.
FLOOR_SCRIPT = Path("benchmarks", "floor.py")


@dataclass(frozen=True)
class Goal:
    """A promise, and what was measured.

    `figure` and `target` are in `unit`; with `at_least`, more is better.
    """

    bench: str
    name: str
    unit: str
    target: float
    figure: float
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        """Say whether the figure reaches the target."""
        return self.figure >= self.target if self.at_least else self.figure <= self.target


def scale(bench: Bench) -> list[Goal]:
    """Measure 1,000, 10,000 and 100,000 employees over five years, by turns."""
    found = []
    for _ in range(_REPEATS):
        for employees in (1_000, 10_000):
            bench.measure(Workload(employees, 5))
        found.append(bench.measure(Workload(100_000, 5)))
    return [
        Goal(
            "scale",
            "100,000 employees, seconds per year with all checks",
            "s",
            1.0,
            median(m.seconds_per_year for m in found),
        ),
        Goal(
            "scale",
            "100,000 x 5 years, peak memory of the process",
            "MB",
            1000,
            max(m.peak_megabytes for m in found),
        ),
    ]


def million(bench: Bench) -> list[Goal]:
    """Measure a million employees over five years under a memory limit of 3 GB."""
    employees, years = 1_000_000, 5
    found = bench.measure(Workload(employees, years, options=("--memory-limit", "3GB")))
    return [
        Goal(
            "million",
            "1,000,000 x 5 years, employee-years per second",
            "/s",
            200_000,
            employees * years / sum(found.year_seconds),
            at_least=True,
        ),
        Goal(
            "million",
            "1,000,000 x 5 years, --memory-limit 3GB, peak memory of the process",
            "MB",
            4096,
            found.peak_megabytes,
        ),
    ]


def load(bench: Bench) -> list[Goal]:
    """Measure the largest studies, each of which has to finish within its memory."""
    limit = ("--memory-limit", "3GB")
    alone = {
        "100,000 x 30 years": Workload(100_000, 30, options=limit),
        "1,000,000 x 5 years": Workload(1_000_000, 5, options=limit),
        "1,000 seeds x 1,000 x 5 years": Workload(1_000, 5, seeds=1_000, options=limit),
    }
    goals = []
    for name, workload in alone.items():
        found = bench.measure(workload)
        goals += [
            Goal("load", f"{name}, seconds", "s", 600, found.wall_seconds),
            Goal("load", f"{name}, peak memory", "MB", 4096, found.peak_megabytes),
        ]
    started = time.perf_counter()
    beside = Workload(100_000, 5, options=("--memory-limit", "1GB", "--threads", "1"))
    bench.census(beside.employees)  # once, not by each of them
    with ThreadPoolExecutor(4) as pool:
        four = list(pool.map(bench.measure, [beside] * 4))
    name = "four times 100,000 x 5 years side by side"
    return [
        *goals,
        Goal("load", f"{name}, seconds", "s", 600, time.perf_counter() - started),
        Goal(
            "load", f"{name}, peak memory together", "MB", 4096, sum(m.peak_megabytes for m in four)
        ),
    ]


def seeds(bench: Bench) -> list[Goal]:
    """Measure a hundred seeds of a small company in one pass, against one large company."""
    pairs = [
        (bench.measure(Workload(1_000, 5, seeds=100)), bench.measure(Workload(100_000, 5)))
        for _ in range(_REPEATS)
    ]
    return [
        Goal(
            "seeds",
            "100 seeds x 1,000 employees x 5 years, whole command",
            "s",
            7.0,
            median(many.wall_seconds for many, _ in pairs),
        ),
        Goal(
            "seeds",
            "the same over one run of 100,000 x 5 years",
            "x",
            1.3,
            median(many.wall_seconds / one.wall_seconds for many, one in pairs),
        ),
    ]


def startup(bench: Bench) -> list[Goal]:
    """Measure the whole command for a small company, the first time too, and the help."""
    warm = [bench.measure(Workload(1_000, 5)) for _ in range(5)]
    firsts = [_first_seconds(bench, number) for number in range(_REPEATS)]
    helps = [_seconds(["--help"]) for _ in range(5)]
    return [
        Goal(
            "startup",
            "simulate 1,000 employees x 5 years, whole command, warm",
            "s",
            1.5,
            median(m.wall_seconds for m in warm),
        ),
        Goal(
            "startup",
            "simulate 1,000 employees x 5 years, first ever after installation",
            "s",
            3.0,
            median(firsts),
        ),
        Goal("startup", "planalign --help", "s", 0.3, median(helps)),
    ]


def years(bench: Bench) -> list[Goal]:
    """Measure whether a year grows dearer with the years behind it.

    The headcount is held, so that year 30 simulates as many employees as year 2.
    """
    found = bench.measure(Workload(50_000, 30, config="workforce: {target_growth_rate: 0}"))
    # Not the first year, which starts from the census, nor the last, beside whose
    # checks no other year is built.
    early, late = median(found.year_seconds[1:6]), median(found.year_seconds[-6:-1])
    return [
        Goal("years", "years 25 to 29 over years 2 to 6, 50,000 employees", "x", 1.2, late / early)
    ]


def threads(bench: Bench) -> list[Goal]:
    """Measure what a second thread gains."""
    pairs = [
        tuple(
            bench.measure(Workload(100_000, 5, options=("--threads", count))).seconds_per_year
            for count in ("1", "2")
        )
        for _ in range(_REPEATS)
    ]
    return [
        Goal(
            "threads",
            "100,000 employees, seconds of one thread over those of two",
            "x",
            1.0,
            median(one / two for one, two in pairs),
            at_least=True,
        )
    ]


def cache(bench: Bench) -> list[Goal]:
    """Measure a study that is simulated again, all its years in the cache."""
    first, again = bench.measure_twice(Workload(100_000, 5))
    return [
        Goal(
            "cache",
            "100,000 x 5 years again, from the cache, over simulating",
            "x",
            0.5,
            again.wall_seconds / first.wall_seconds,
        )
    ]


def floor(bench: Bench) -> list[Goal]:
    """Measure the distance from a script written by hand for the same rules.

    Raises:
        UsageError: the script is not here; it is part of a checkout only.
        ModelError: the script failed, or its rows are not those of the product.
    """
    if not FLOOR_SCRIPT.is_file():
        raise UsageError(
            f"{FLOOR_SCRIPT} is not here", "Measure the floor in a checkout of the project."
        )
    bench.say(f"floor: {FLOOR_SCRIPT}, by turns with direct")
    done = subprocess.run(  # noqa: S603 - a list, no shell
        [sys.executable, "-P", str(FLOOR_SCRIPT), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ModelError(f"{FLOOR_SCRIPT} failed:\n{done.stderr}")
    return [
        Goal(
            "floor",
            "100,000 employees, seconds per year over those of a script by hand",
            "x",
            2.0,
            json.loads(done.stdout)["product_over_floor"],
        )
    ]


SUITES: dict[str, Callable[[Bench], list[Goal]]] = {
    "startup": startup,
    "scale": scale,
    "seeds": seeds,
    "threads": threads,
    "cache": cache,
    "years": years,
    "floor": floor,
    "million": million,
    "load": load,
}


def _seconds(arguments: list[str], **variables: str) -> float:
    started = time.perf_counter()
    command = [sys.executable, "-P", "-m", "planalign", *arguments]
    done = subprocess.run(  # noqa: S603 - a list, no shell
        command,
        check=False,
        capture_output=True,
        text=True,
        errors="backslashreplace",
        env={**os.environ, **variables},
    )
    if done.returncode != 0:
        raise ModelError(f"{' '.join(command)} failed:\n{done.stderr}")
    return time.perf_counter() - started


def _first_seconds(bench: Bench, number: int) -> float:
    """Time the first simulation of an installation: no cache folder of its own yet.

    The installation is what the wheel installs: the package with its compiled
    pipeline, byte-compiled as pip does. Its dependencies are those at hand, so that
    the operating system may have read them before.
    """
    folder = bench.scratch / f"installation_{number}"
    package = folder / "planalign"
    shutil.copytree(
        Path(planalign.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__")
    )
    shipped = package / SHIPPED.relative_to(Path(planalign.__file__).parent)
    pipeline_for(Project.at(None)).save(shipped)
    compileall.compile_dir(folder, quiet=1)
    census = bench.census(1_000)
    bench.say("first ever: 1,000 employees x 5 years in a new installation")
    return _seconds(
        ["simulate", "2025-2029", "--census", str(census), "--output", str(folder / "run")],
        PYTHONPATH=str(folder),
        PLANALIGN_CACHE_DIR=str(folder / "cache"),
    )
