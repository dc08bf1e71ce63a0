"""One run on its way: blocks of trajectories, each through its years, around YearProcessor."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import duckdb

from planalign.census.plan_facts import plan_facts
from planalign.census.read import read_census
from planalign.config import Config, scenario_settings, to_yaml
from planalign.engine.breaker import lighten, relieve, trip
from planalign.engine.database import WORK, Database, Settings
from planalign.engine.faults import environment_fault
from planalign.engine.inputs import Trajectory, write_inputs
from planalign.engine.machine import Machine, busy_by_core, with_children
from planalign.engine.meter import Sampler
from planalign.engine.pipeline import Step
from planalign.engine.runners import make_runner
from planalign.engine.telemetry import Listener, timed
from planalign.engine.year_cache import Hit, Keys, year_keys
from planalign.engine.year_processor import YearProcessor, YearResult
from planalign.errors import (
    MemoryFaultError,
    ModelError,
)
from planalign.interruption import is_interruption
from planalign.marts.origin import Origin
from planalign.marts.tables import describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from planalign.config.models import Resources
    from planalign.engine.pipeline import Pipeline
    from planalign.engine.project import Project
    from planalign.engine.retry import Policy, Retry
    from planalign.engine.run_folder import RunFolder
    from planalign.study import Request

# Memory that an opening employee takes while a block goes through a year, the checks
# of the year before beside it: 3,200 bytes were measured with 250,000 of them and every
# part of a plan in use, the pages of the results aside; a fifth more is room to spare.
BYTES_PER_EMPLOYEE = 3_800


@dataclass(frozen=True)
class Simulation:
    """One run on its way: what was asked, where it is built, who listens."""

    request: Request
    plan: Sequence[Trajectory]
    folder: RunFolder
    project: Project
    tell: Listener
    machine: Machine
    policy: Policy
    keys: Keys = field(default_factory=dict)
    hits: dict[str, Hit] = field(default_factory=dict)

    def run(self, pipeline: Pipeline, record: Mapping[str, Any]) -> list[YearResult]:
        """Simulate what is not complete yet and close the database.

        Args:
            pipeline: the compiled models.
            record: the provenance of the run, which is written down with it.
        """
        config = self.request.config
        # The commands that `legacy` runs are its memory too.
        is_legacy = self.request.runner == "legacy"
        machine = replace(self.machine, resident_bytes=with_children) if is_legacy else self.machine
        database = Database(
            self.folder.database,
            settings_of(config),
            self.tell,
            machine=machine,
            policy=self.policy,
        )
        self.folder.check_same_study(record)
        if self.request.runner == "direct":
            pipeline = pipeline.with_intermediates_in(WORK)
        self._tell_graph(pipeline)
        database.create()
        runner = make_runner(
            self.request.runner,
            self.project,
            pipeline,
            database,
            with_plans=self.request.with_plans,
        )
        sampler = Sampler(database.meter, self.tell, busy_by_core, database.memory_by_tag)
        try:
            sampler.start()
            processor = YearProcessor(
                pipeline, database, runner, partial(self._load_inputs, pipeline), self.tell
            )
            processor.run_step(Step.SETUP)
            # First what it is computed from: with the configuration alone, that would be lost.
            self.folder.begin(record)
            self.folder.write("config.yaml", to_yaml(config))
            self._describe(pipeline, record, database)
            if self.request.resume:
                processor.abandon_year()
            self._look_up(record, database.retry)
            return list(self._years(processor, pipeline, database))
        finally:
            sampler.stop()
            runner.close()
            with timed(self.tell, "closing the database"):
                database.release()

    def _describe(self, pipeline: Pipeline, record: Mapping[str, Any], database: Database) -> None:
        """Write into the database what its marts are, and what they are computed from."""
        simulation = self.request.config.simulation
        origin = Origin(
            simulation.start_year, simulation.end_year, len(self.plan), simulation.random_seed
        )
        with timed(self.tell, "describing the marts"):
            database.attempt(
                "describing the marts",
                lambda cursor: describe(cursor, pipeline.marts, record, origin),
            )

    def _tell_graph(self, pipeline: Pipeline) -> None:
        """Tell what is built from what, for whoever looks at the record alone."""
        names = {model.name for model in pipeline.models}
        self.tell(
            "graph_planned",
            models=[
                {
                    "model": model.name,
                    "step": model.step.value,
                    "path": model.path,
                    "materialization": model.materialization.value,
                    "reads": [name for name in model.depends_on if name in names],
                }
                for model in pipeline.models
            ],
        )

    def _look_up(self, record: Mapping[str, Any], retry: Retry) -> None:
        """Name the state after each year, and find those that the cache has."""
        cache = self.request.cache
        if cache is None:
            return
        config = self.request.config
        fingerprints = record["fingerprints"]
        shared = json.dumps(
            [
                *(fingerprints[name] for name in ("models", "reference_tables", "census")),
                record["versions"],
                dict(config.census_columns),
                config.effective_census_date.isoformat(),
            ],
            sort_keys=True,
        )
        self.keys.update(year_keys(shared, config, scenario_settings(config), self.plan))
        try:
            self.hits.update(
                retry.run("the cache of years", lambda: cache.find(self.keys.values()))
            )
        except OSError as error:
            self.tell("cache_ignored", year=None, reason=str(error))

    def keep(self, path: Path, years: Sequence[YearResult], retry: Retry) -> None:
        """Let the cache remember the published run, unless all of it came from there.

        Whoever listens is told of a fault, for the run's own record is closed.
        """
        cache = self.request.cache
        if cache is None or all(result.is_from_cache for result in years):
            return
        seconds = {result.year: result.seconds for result in years if not result.is_from_cache}
        found = {
            key: seconds.get(year, 0.0) / len(self.plan) for (_, _, year), key in self.keys.items()
        }
        try:
            retry.run("the cache of years", lambda: cache.keep(path, found))
        except OSError as error:
            retry.tell("warning", message=f"the cache of years does not keep {path} ({error})")

    def _load_inputs(self, pipeline: Pipeline, database: Database) -> None:
        config = self.request.config
        with database.cursor() as cursor:
            write_inputs(cursor, pipeline, config, scenario_settings(config))
            census = pipeline.source("census")
            summary = read_census(
                cursor,
                config.census,
                columns=config.census_columns,
                census_date=config.effective_census_date,
                table="inputs.census",
                plans=plan_facts(config),
            )
            names = tuple(row[0] for row in cursor.execute("describe inputs.census").fetchall())
            if names != tuple(column.name for column in census.columns):
                raise ModelError(
                    f"source census of {self.project.folder} declares other columns than are read",
                    f"Declare {', '.join(names)}.",
                )
        for warning in summary.warnings:
            self.tell("warning", message=f"census: {warning.sentence}")

    def _years(
        self, processor: YearProcessor, pipeline: Pipeline, database: Database
    ) -> Iterator[YearResult]:
        simulation = self.request.config.simulation
        with database.cursor() as cursor:
            opening = cursor.execute(
                "select count(*) from stg_census_data where is_opening"
            ).fetchone()
        size = trajectories_per_block(self.request.config.resources, opening[0] if opening else 0)
        left, done, planned = self.plan, 0, 0
        while left:
            if size != planned:  # at the beginning, and where blocks became smaller
                blocks, planned = done + math.ceil(len(left) / size), size
                self.tell("run_planned", years=blocks * len(simulation.years), blocks=blocks)
            block = left[:size]
            try:
                yield from self._block(processor, pipeline, database, block)
            except (MemoryFaultError, duckdb.OutOfMemoryException, MemoryError) as error:
                # Models and checks are named; the statements between them are not.
                fault = environment_fault(f"the database of {self.folder.partial}", error)
                short = error if isinstance(error, MemoryFaultError) else fault
                if not isinstance(short, MemoryFaultError):  # it spilled to a full disk
                    raise
                processor.abandon_year()
                size = self._size_after(short, database, len(block))
                continue
            left, done = left[len(block) :], done + 1
            reason = relieve(database, self.request.config.resources.memory_bytes)
            if reason is not None and left and size > 1:
                size = self._halved(size, reason)

    def _block(
        self,
        processor: YearProcessor,
        pipeline: Pipeline,
        database: Database,
        block: Sequence[Trajectory],
    ) -> Iterator[YearResult]:
        """Take a block through its years, from the first on that is not complete."""
        with database.cursor() as cursor:
            complete = set(cursor.execute("from run_years").fetchall())
        processor.begin_block(block)
        for year in self.request.config.simulation.years:
            if all((t.scenario, t.replicate, year) in complete for t in block):
                continue
            # A computed year is complete when the next one has been built beside
            # its checks; a year from the cache needs the one before it complete.
            if self._hits_of(year, block):
                yield from self._warned(processor.settle())
                cached = self._cached(processor, pipeline, database, year, block)
                if cached is not None:
                    yield from self._warned([cached])
                    continue
            yield from self._warned(processor.start_year(year))
            relieve(database, self.request.config.resources.memory_bytes)
        yield from self._warned(processor.settle())

    def _size_after(self, error: MemoryFaultError, database: Database, size: int) -> int:
        """Return how many trajectories to go on with after a block was too much.

        Raises:
            MemoryFaultError: it was a single one, alone, on one thread.
        """
        if lighten(database, error.what, database.settings):
            return size
        if size > 1:
            return self._halved(size, error.what)
        raise MemoryFaultError(
            f"{error.what}, also as the only model at a time, on one thread and with one "
            f"trajectory at a time, within {database.settings.memory_limit}",
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

    def _hits_of(self, year: int, block: Sequence[Trajectory]) -> dict[tuple[str, int], Hit]:
        """Return where the cache has a year, if it has it of every trajectory of the block."""
        if self.request.cache is None or self.request.runner != "direct":
            return {}
        found = {}
        for trajectory in block:
            hit = self.hits.get(self.keys[trajectory.scenario, trajectory.replicate, year])
            if hit is None:
                return {}
            found[trajectory.scenario, trajectory.replicate] = hit
        return found

    def _cached(
        self,
        processor: YearProcessor,
        pipeline: Pipeline,
        database: Database,
        year: int,
        block: Sequence[Trajectory],
    ) -> YearResult | None:
        """Take a year from the cache, unless what is there turns out to be damaged."""
        cache, found = self.request.cache, self._hits_of(year, block)
        if cache is None or not found:
            return None

        def copy(cursor: duckdb.DuckDBPyConnection) -> None:
            database.retry.run(
                f"the cache of {year}", lambda: cache.copy_year(cursor, pipeline, year, found)
            )

        try:
            result = processor.adopt_year(year, copy)
        except duckdb.Error as error:
            if is_interruption(error):
                raise
            self.hits.clear()
            self.tell("cache_ignored", year=year, reason=str(error))
            return None
        self.tell(
            "year_from_cache",
            year=year,
            trajectories=len(block),
            seconds=round(result.seconds, 6),
            saved_seconds=round(sum(hit.seconds for hit in found.values()) - result.seconds, 6),
        )
        return result


def trajectories_per_block(resources: Resources, opening: int) -> int:
    """Return how many trajectories of `opening` employees go through a year in one pass.

    At least one: a single trajectory that is larger spills to disk.
    """
    most = resources.employees_per_block
    if most == "auto":
        most = resources.memory_bytes // BYTES_PER_EMPLOYEE
    return max(1, int(most) // max(1, opening))


def settings_of(config: Config) -> Settings:
    """Return what a configuration lets a run use of the machine."""
    resources = config.resources
    threads = resources.threads
    if threads == "auto":
        threads = len(os.sched_getaffinity(0))
    return Settings(int(threads), resources.memory_limit, resources.models_at_once)
