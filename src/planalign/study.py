"""Run a study: the loop over blocks of trajectories and years around YearProcessor."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from planalign.census.read import read_census
from planalign.config import Config, load, parse, scenario_settings, to_yaml
from planalign.engine.compiler import is_compiled, pipeline_for
from planalign.engine.database import Database, Settings
from planalign.engine.inputs import Trajectory, trajectories, write_inputs
from planalign.engine.pipeline import Step
from planalign.engine.project import Project
from planalign.engine.run_folder import RunFolder, provenance, run_folder
from planalign.engine.runners import make_runner
from planalign.engine.telemetry import EventLog, Listener, broadcast
from planalign.engine.year_processor import YearProcessor, YearResult
from planalign.errors import InterruptedRunError, ModelError, PlanalignError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from planalign.engine.pipeline import Pipeline

# Opening employees that go through a year in one pass. Bounds the memory of a
# study with many trajectories; the result does not depend on it.
EMPLOYEES_PER_BLOCK = 2_000_000


@dataclass(frozen=True)
class Request:
    """What to run of a configuration, and how.

    `scenario` and `replicate` choose one of those configured; the result is the
    one it has among all. Without `use_cache` the models are compiled anew.
    `employees_per_block` bounds how many opening employees go through a year in
    one pass; it changes no result.
    """

    config: Config
    output: Path | None = None
    runner: str = "direct"
    scenario: str | None = None
    replicate: int | None = None
    resume: bool = False
    use_cache: bool = True
    employees_per_block: int = EMPLOYEES_PER_BLOCK


@dataclass(frozen=True)
class Completed:
    """A published run: its folder, and the result of every block and year simulated.

    `seconds` are wall-clock, of the whole study.
    """

    path: Path
    years: tuple[YearResult, ...] = field(repr=False)
    seconds: float

    @property
    def seconds_by_year(self) -> dict[int, float]:
        """Return the seconds of each simulated year, over all blocks."""
        by_year: dict[int, float] = {}
        for result in self.years:
            by_year[result.year] = by_year.get(result.year, 0.0) + result.seconds
        return by_year


def configuration(source: Config | Mapping[str, Any] | str | Path) -> Config:
    """Return a configuration from a file, a mapping, or as it is.

    Raises:
        InputError: it has problems; all are listed.
    """
    if isinstance(source, Config):
        return source
    if isinstance(source, str | Path):
        return load(Path(source))
    return parse(source, Path.cwd())


def run_study(request: Request, listener: Listener | None = None) -> Completed:
    """Simulate every year of every trajectory and publish the run.

    Raises:
        InputError: the census has problems.
        UsageError: the request does not fit the configuration or the output.
        ModelError: a model failed or a check found rows.
        EnvironmentFaultError: the machine is in the way.
        InterruptedRunError: the user stopped it; `resume` goes on from the last
            whole year.
    """
    started = time.perf_counter()
    plan = _plan(request)
    folder = run_folder(request.output)
    project = Project.at(request.config.dbt_project)
    with folder.claimed(resume=request.resume):
        log = EventLog(folder.events)
        tell = broadcast(log, *([listener] if listener else []))
        simulation = request.config.simulation
        tell(
            "run_started",
            runner=request.runner,
            first_year=simulation.start_year,
            last_year=simulation.end_year,
            trajectories=len(plan),
            resumed=request.resume,
        )
        try:
            years = _Run(request, plan, folder, project, tell).run()
        except (KeyboardInterrupt, duckdb.InterruptException) as error:
            tell("run_interrupted")
            raise InterruptedRunError(
                f"stopped; the whole years are kept in {folder.partial}",
                f"Go on with --resume --output {folder.output}",
            ) from error
        except PlanalignError as error:
            tell("run_failed", error=str(error))
            raise
        else:
            tell("run_completed", seconds=round(time.perf_counter() - started, 6))
        finally:
            log.close()
        path = folder.publish()
    return Completed(path, tuple(years), time.perf_counter() - started)


@dataclass(frozen=True)
class _Run:
    """One run on its way: what was asked, where it is built, who listens."""

    request: Request
    plan: Sequence[Trajectory]
    folder: RunFolder
    project: Project
    tell: Listener

    def run(self) -> list[YearResult]:
        """Simulate what is not complete yet and close the database."""
        config = self.request.config
        database = Database(self.folder.database, _settings(config))
        record = provenance(_influences(config, self.plan), config.census, self.project)
        self.folder.check_same_study(record)
        if not (self.request.use_cache and is_compiled(self.project)):
            self.tell("compiling", project=str(self.project.folder))
        pipeline = pipeline_for(self.project, use_cache=self.request.use_cache)
        database.create()
        self.folder.write("config.yaml", to_yaml(config))
        self.folder.write("provenance.json", json.dumps(record, indent=2) + "\n")
        runner = make_runner(self.request.runner, self.project, pipeline, database)
        try:
            processor = YearProcessor(
                pipeline, database, runner, partial(self._load_inputs, pipeline), self.tell
            )
            processor.run_step(Step.SETUP)
            return list(self._years(processor, database))
        finally:
            runner.close()
            database.release()

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
            )
            names = tuple(row[0] for row in cursor.execute("describe inputs.census").fetchall())
            if names != tuple(column.name for column in census.columns):
                raise ModelError(
                    f"source census of {self.project.folder} declares other columns than are read",
                    f"Declare {', '.join(names)}.",
                )
        for warning in summary.warnings:
            self.tell("warning", message=warning)

    def _years(self, processor: YearProcessor, database: Database) -> Iterator[YearResult]:
        simulation = self.request.config.simulation
        with database.cursor() as cursor:
            opening = cursor.execute(
                "select count(*) from stg_census_data where is_opening"
            ).fetchone()
            complete = set(cursor.execute("from run_years").fetchall())
        size = max(1, self.request.employees_per_block // max(1, opening[0] if opening else 1))
        starts = range(0, len(self.plan), size)
        self.tell("run_planned", years=len(starts) * len(simulation.years), blocks=len(starts))
        for first in starts:
            block = self.plan[first : first + size]
            processor.begin_block(block)
            for year in simulation.years:
                if all((t.scenario, t.replicate, year) in complete for t in block):
                    continue
                result = processor.run_year(year)
                for warning in result.warnings:
                    self.tell("warning", message=warning)
                yield result


def _plan(request: Request) -> tuple[Trajectory, ...]:
    """Return the trajectories asked for, numbered as they are among all."""
    config = request.config
    names = list(scenario_settings(config))
    if request.scenario is not None:
        if request.scenario not in names:
            raise UsageError(
                f"there is no scenario {request.scenario!r}", f"Use one of {', '.join(names)}."
            )
        names = [request.scenario]
    replicates = range(config.simulation.replicates)
    if request.replicate is not None:
        if request.replicate < 0:
            raise UsageError(f"there is no replicate {request.replicate}", "They count from 0.")
        replicates = range(request.replicate, request.replicate + 1)
    return trajectories(config, names, replicates)


def _settings(config: Config) -> Settings:
    resources = config.resources
    threads = resources.threads
    if threads == "auto":
        threads = len(os.sched_getaffinity(0))
    return Settings(int(threads), resources.memory_limit)


def _influences(config: Config, plan: Sequence[Trajectory]) -> str:
    """Return all of a configuration that may change a result, as text."""
    settings = scenario_settings(config)
    return json.dumps(
        {
            "years": [config.simulation.start_year, config.simulation.end_year],
            "census_columns": dict(config.census_columns),
            "census_date": config.effective_census_date.isoformat(),
            "trajectories": [[t.scenario, t.replicate, t.random_seed] for t in plan],
            "scenarios": {
                name: settings[name].model_dump(mode="json")
                for name in sorted({t.scenario for t in plan})
            },
        },
        sort_keys=True,
    )
