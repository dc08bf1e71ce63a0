"""Blocks of trajectories, each through its years, around YearProcessor."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb

from planalign.engine.breaker import lighten, relieve, trip
from planalign.engine.faults import environment_fault
from planalign.errors import MemoryFaultError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from planalign.config import Config
    from planalign.config.models import Resources
    from planalign.engine.database import Database
    from planalign.engine.inputs import Trajectory
    from planalign.engine.pipeline import Pipeline
    from planalign.engine.year_processor import YearProcessor, YearResult
    from planalign.record.telemetry import Listener
    from planalign.study.cached_years import CachedYears

# Memory that an opening employee takes while a block goes through a year, the checks
# of the year before beside it: 3,200 bytes were measured with 250,000 of them and every
# part of a plan in use, the pages of the results aside; a fifth more is room to spare.
BYTES_PER_EMPLOYEE = 3_800


@dataclass(frozen=True)
class Simulation:
    """The trajectories of a study on their way, as many at once as memory allows."""

    config: Config
    pipeline: Pipeline
    database: Database
    processor: YearProcessor
    cached: CachedYears
    tell: Listener

    def years(self, asked: Sequence[Trajectory]) -> Iterator[YearResult]:
        """Simulate what is not complete yet, block by block; yield each year completed.

        Raises:
            ModelError: a model failed, or a check found rows.
            MemoryFaultError: a single trajectory, alone, on one thread is too much.
        """
        size = trajectories_per_block(self.config.resources, self.opening())
        left, done, planned = asked, 0, 0
        while left:
            if size != planned:  # at the beginning, and where blocks became smaller
                blocks, planned = done + math.ceil(len(left) / size), size
                years = blocks * len(self.config.simulation.years)
                self.tell("run_planned", years=years, blocks=blocks)
            block = left[:size]
            try:
                yield from self._block(block)
            except (MemoryFaultError, duckdb.OutOfMemoryException, MemoryError) as error:
                # Models and checks are named; the statements between them are not.
                fault = environment_fault(f"the database of {self.database.path.parent}", error)
                short = error if isinstance(error, MemoryFaultError) else fault
                if not isinstance(short, MemoryFaultError):  # it spilled to a full disk
                    raise
                self.processor.abandon_year()
                size = self._size_after(short, len(block))
                continue
            left, done = left[len(block) :], done + 1
            reason = self._relieved()
            if reason is not None and left and size > 1:
                size = self._halved(size, reason)

    def begun(self, asked: Sequence[Trajectory]) -> tuple[list[Trajectory], list[Trajectory]]:
        """Return the trajectories that are not complete: with a year that is there, and without.

        There is what an unfinished run has computed, and what the cache has.
        """
        with self.database.cursor() as cursor:
            complete = set(cursor.execute("from run_years").fetchall())
        years = self.config.simulation.years
        some: list[Trajectory] = []
        none: list[Trajectory] = []
        for one in asked:
            have = [(one.scenario, one.replicate, year) in complete for year in years]
            if any(have) or any(self.cached.has(year, [one]) for year in years):
                if not all(have):
                    some.append(one)
            else:
                none.append(one)
        return some, none

    def opening(self) -> int:
        """Return how many employees a trajectory begins with."""
        with self.database.cursor() as cursor:
            found = cursor.execute(
                "select count(*) from stg_census_data where is_opening"
            ).fetchone()
        return found[0] if found else 0

    def _block(self, block: Sequence[Trajectory]) -> Iterator[YearResult]:
        """Take a block through its years, from the first on that is not complete."""
        processor = self.processor
        with self.database.cursor() as cursor:
            complete = set(cursor.execute("from run_years").fetchall())
        processor.begin_block(block)
        for year in self.config.simulation.years:
            if all((t.scenario, t.replicate, year) in complete for t in block):
                continue
            # A computed year is complete when the next one has been built beside
            # its checks; a year from the cache needs the one before it complete.
            if self.cached.has(year, block):
                yield from self._warned(processor.settle())
                taken = self.cached.take(year, block, processor, self.pipeline, self.database)
                if taken is not None:
                    yield from self._warned([taken])
                    continue
            yield from self._warned(processor.start_year(year))
            self._relieved()
        yield from self._warned(processor.settle())

    def _relieved(self) -> str | None:
        return relieve(self.database, self.config.resources.memory_bytes)

    def _size_after(self, error: MemoryFaultError, size: int) -> int:
        """Return how many trajectories to go on with after a block was too much.

        Raises:
            MemoryFaultError: it was a single one, alone, on one thread.
        """
        settings = self.database.settings
        if lighten(self.database, error.what, settings):
            return size
        if size > 1:
            return self._halved(size, error.what)
        raise MemoryFaultError(
            f"{error.what}, also as the only model at a time, on one thread and with one "
            f"trajectory at a time, within {settings.memory_limit}",
            "Raise resources.memory_limit (--memory-limit) and go on with --resume: the years "
            "before are complete. Fewer threads or seeds do not help any more.",
        ) from error

    def _halved(self, size: int, reason: str) -> int:
        half = size // 2
        trip(self.tell, reason, f"takes its trajectories {half} at a time", trajectories=half)
        return half

    def _warned(self, results: Sequence[YearResult]) -> Sequence[YearResult]:
        for result in results:
            for warning in result.warnings:
                self.tell("warning", message=warning)
        return results


def trajectories_per_block(resources: Resources, opening: int) -> int:
    """Return how many trajectories of `opening` employees go through a year in one pass.

    At least one: a single trajectory that is larger spills to disk.
    """
    most = resources.employees_per_block
    if most == "auto":
        most = resources.memory_bytes // BYTES_PER_EMPLOYEE
    return max(1, int(most) // max(1, opening))
