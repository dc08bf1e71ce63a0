"""Time a `planalign simulate` process from outside, as the operating system saw it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from planalign.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


@dataclass(frozen=True)
class Measurement:
    """One process: seconds of the whole, of each simulated year, and of each model.

    A model's seconds are the median of its years; memory is the peak, in MB.
    """

    wall_seconds: float
    year_seconds: tuple[float, ...]
    peak_megabytes: float
    model_seconds: Mapping[str, float]

    @property
    def seconds_per_year(self) -> float:
        """Return the median year."""
        return median(self.year_seconds)


@dataclass(frozen=True)
class Workload:
    """What to simulate: a generated census of `employees` and so many years and seeds.

    `config` is more of planalign.yaml, in its text.
    """

    employees: int
    years: int
    seeds: int = 1
    runner: str = "direct"
    options: tuple[str, ...] = ()
    config: str = ""


class Bench:
    """A scratch folder with the censuses that the workloads need."""

    def __init__(self, scratch: Path, say: Callable[[str], None]) -> None:
        self.scratch = scratch
        self.say = say
        self._measured: dict[Workload, list[Measurement]] = {}

    def measure(self, workload: Workload) -> Measurement:
        """Run a workload once in a process of its own, every year computed.

        Raises:
            ModelError: the command failed.
        """
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            found = self._run(workload, Path(folder), "run", "--no-cache")
        self._measured.setdefault(workload, []).append(found)
        return found

    def workloads(self) -> list[dict[str, Any]]:
        """Return the medians of every workload that was measured, with its models."""
        return [
            {
                "employees": workload.employees,
                "seeds": workload.seeds,
                "years": workload.years,
                "runner": workload.runner,
                "options": list(workload.options),
                "runs": len(found),
                "wall_seconds": median(m.wall_seconds for m in found),
                "seconds_per_year": median_of(found),
                "peak_megabytes": max(m.peak_megabytes for m in found),
                "model_seconds": {
                    name: median(m.model_seconds[name] for m in found)
                    for name in found[0].model_seconds
                },
            }
            for workload, found in self._measured.items()
        ]

    def measure_twice(self, workload: Workload) -> tuple[Measurement, Measurement]:
        """Run a workload with an empty cache, and again with what the first left.

        Raises:
            ModelError: the command failed.
        """
        with tempfile.TemporaryDirectory(dir=self.scratch) as name:
            folder = Path(name)
            cache = ("--cache-dir", str(folder / "cache"))
            return (
                self._run(workload, folder, "first", *cache),
                self._run(workload, folder, "again", *cache),
            )

    def _run(self, workload: Workload, folder: Path, output: str, *options: str) -> Measurement:
        self.say(
            f"{workload.runner}: {workload.employees:,} employees x {workload.seeds} seeds "
            f"x {workload.years} years"
        )
        config = folder / "planalign.yaml"
        config.write_text(f"{workload.config}\n", encoding="utf-8")
        command = [
            sys.executable, "-P", "-m", "planalign", "simulate", f"2025-{2024 + workload.years}",
            "--config", str(config),
            "--census", str(self.census(workload.employees)),
            "--runner", workload.runner,
            "--seeds", str(workload.seeds),
            "--output", str(folder / output),
            "--json", *options, *workload.options,
        ]  # fmt: skip
        stdout, stderr = folder / "stdout.json", folder / "stderr.txt"
        with stdout.open("w") as out, stderr.open("w") as err:
            started = time.perf_counter()
            process = subprocess.Popen(command, stdout=out, stderr=err)  # noqa: S603 - a list, no shell
            try:
                _, status, usage = os.wait4(process.pid, 0)
            except BaseException:  # not left behind, for its folder is removed
                process.terminate()
                process.wait()
                raise
            wall = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise ModelError(f"{' '.join(command)} failed:\n{stderr.read_text()}")
        result = json.loads(stdout.read_text())
        return Measurement(
            wall_seconds=wall,
            year_seconds=tuple(year["seconds"] for year in result["years"]),
            # Of the process alone on Linux; its children (legacy) are not in it.
            peak_megabytes=usage.ru_maxrss / 1024,
            model_seconds={
                name: median(year["seconds_by_model"].get(name, 0.0) for year in result["years"])
                for name in result["years"][0]["seconds_by_model"]
            },
        )

    def census(self, employees: int) -> Path:
        """Return a generated census of so many employees; made once."""
        from planalign.census import generate_census

        path = self.scratch / f"census_{employees}.parquet"
        if not path.exists():
            generate_census(employees, 42, path)
        return path


def median_of(measurements: Sequence[Measurement]) -> float:
    """Return the median of the seconds per year of several processes."""
    return median(measurement.seconds_per_year for measurement in measurements)
