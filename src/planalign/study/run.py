"""The life of a run: claimed, computed, published, remembered."""

from __future__ import annotations

import os
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from planalign.census.plan_facts import plan_facts
from planalign.census.read import read_census
from planalign.config import Config, job_levels, scenario_settings, to_yaml
from planalign.engine.database import WORK, Database
from planalign.engine.faults import environment_fault
from planalign.engine.inputs import write_inputs
from planalign.engine.machine import (
    Machine,
    busy_by_core,
    cpu_seconds_with_children,
    with_children,
)
from planalign.engine.meter import Sampler
from planalign.engine.overlay import project_of
from planalign.engine.pipeline import Step
from planalign.engine.retry import Policy, Retry
from planalign.engine.run_folder import run_folder, versions
from planalign.engine.runners import make_runner
from planalign.engine.year_processor import YearProcessor
from planalign.errors import InterruptedRunError, ModelError, PlanalignError
from planalign.interruption import is_interruption
from planalign.marts.origin import Origin
from planalign.marts.tables import describe
from planalign.record.telemetry import FORMAT, EventLog, Listener, broadcast, timed, unheard
from planalign.study.blocks.shared_out import most_workers, reached, simulated
from planalign.study.cached_years import CachedYears
from planalign.study.request import origin_of, trajectories_of
from planalign.study.settings import settings_of
from planalign.study.simulation import Simulation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from planalign.engine.pipeline import Pipeline
    from planalign.engine.project import Project
    from planalign.engine.run_folder import RunFolder
    from planalign.engine.year_processor import YearResult
    from planalign.study.request import Request


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


def run_study(
    request: Request,
    listener: Listener | None = None,
    *,
    machine: Machine = Machine(),  # noqa: B008 - frozen
    policy: Policy = Policy(),  # noqa: B008 - frozen
) -> Completed:
    """Simulate every year of every trajectory and publish the run.

    Args:
        request: what to run.
        listener: is told how it goes, if there is one.
        machine: what may fail; tests give one that does.
        policy: how often and how long transient faults are met with another attempt.

    Raises:
        InputError: the census has problems.
        UsageError: the request does not fit the configuration or the output.
        ModelError: a model failed or a check found rows.
        EnvironmentFaultError: the machine is in the way.
        InterruptedRunError: the user stopped it; `resume` goes on from the last
            whole year.
    """
    started = time.perf_counter()
    listener = unheard if listener is None else listener
    config = request.config
    asked = trajectories_of(request)
    most_workers(request, len(asked))  # refuses a runner without
    folder = run_folder(request.output, request.runner)
    project = project_of(config)
    with (
        reached(request) as cluster,
        folder.claimed(resume=request.resume),
        closing(EventLog(folder.events)) as log,
    ):
        tell = broadcast(log, listener)
        _tell_start(tell, request, len(asked))
        with _end_told(tell, folder):
            pipeline, record = origin_of(request, project, tell)
            folder.check_same_study(record)
            pipeline = pipeline.with_places(project.told)
            if request.runner == "direct":
                pipeline = pipeline.with_intermediates_in(WORK)
            _tell_graph(tell, pipeline)
            database = Database(
                folder.database,
                settings_of(config),
                tell,
                machine=_measured(machine, request, len(asked)),
                policy=policy,
            )
            with _at_work(request, project, pipeline, database) as processor:
                processor.run_step(Step.SETUP)
                # First what it is computed from: with the configuration alone, that would be lost.
                folder.begin(record)
                folder.write("config.yaml", to_yaml(config))
                _describe(config, len(asked), pipeline, record, database)
                if request.resume:
                    processor.abandon_year()
                cached = CachedYears.found(request, asked, record, tell, database.retry)
                simulation = Simulation(config, pipeline, database, processor, cached, tell)
                computed = simulated(request, project, folder, simulation, asked, cluster=cluster)
                years = tuple(computed)
            # Before the run gets its name, for nothing is written to it afterwards.
            tell("run_completed", seconds=round(time.perf_counter() - started, 6))
            path = folder.publish(Retry(tell, policy, machine.sleep), machine.rename)
        cached.keep(path, years, Retry(listener, policy, machine.sleep))
    return Completed(path, years, time.perf_counter() - started)


def _measured(machine: Machine, request: Request, trajectories: int) -> Machine:
    """Return the machine whose use counts: with the processes that the run starts."""
    has_children = request.runner == "legacy" or most_workers(request, trajectories) > 1
    if not has_children:
        return machine
    return replace(machine, resident_bytes=with_children, cpu_seconds=cpu_seconds_with_children)


@contextmanager
def _at_work(
    request: Request, project: Project, pipeline: Pipeline, database: Database
) -> Iterator[YearProcessor]:
    """Lend what takes a run through its years; the database is closed behind it."""
    tell = database.tell
    database.create()
    runner = make_runner(
        request.runner, project, pipeline, database, with_query_plans=request.with_query_plans
    )
    sampler = Sampler(database.meter, tell, busy_by_core, database.memory_by_tag)
    load_inputs = partial(_load_inputs, request.config, project, pipeline)
    try:
        sampler.start()
        yield YearProcessor(pipeline, database, runner, load_inputs, tell)
    finally:
        sampler.stop()
        runner.close()
        with timed(tell, "closing the database"):
            database.release()


def _load_inputs(config: Config, project: Project, pipeline: Pipeline, database: Database) -> None:
    """Put what the study is computed from into schema `inputs` of its database."""
    with database.cursor() as cursor:
        write_inputs(cursor, pipeline, config, scenario_settings(config))
        census = pipeline.source("census")
        summary = read_census(
            cursor,
            config.census,
            columns=config.census_columns,
            census_date=config.effective_census_date,
            levels=len(job_levels(config)),
            extra_columns=config.extra_columns,
            table="inputs.census",
            plans=plan_facts(config),
        )
        names = tuple(row[0] for row in cursor.execute("describe inputs.census").fetchall())
        if names != tuple(column.name for column in census.columns):
            raise ModelError(
                f"source census of {project.name} declares other columns than are read",
                f"Declare {', '.join(names)}.",
            )
    for warning in summary.warnings:
        database.tell("warning", message=f"census: {warning.sentence}")


def _describe(
    config: Config,
    trajectories: int,
    pipeline: Pipeline,
    record: Mapping[str, Any],
    database: Database,
) -> None:
    """Write into the database what its marts are, and what they are computed from."""
    simulation = config.simulation
    origin = Origin(
        simulation.start_year, simulation.end_year, trajectories, simulation.random_seed
    )
    with timed(database.tell, "describing the marts"):
        database.attempt(
            "describing the marts",
            lambda cursor: describe(cursor, pipeline.marts, record, origin),
        )


def _tell_start(tell: Listener, request: Request, trajectories: int) -> None:
    config = request.config
    tell(
        "run_started",
        format=FORMAT,
        runner=request.runner,
        first_year=config.simulation.start_year,
        last_year=config.simulation.end_year,
        trajectories=trajectories,
        resumed=request.resume,
        cores=len(os.sched_getaffinity(0)),
        threads=settings_of(config).threads,
        memory_limit_bytes=config.resources.memory_bytes,
        with_plans=request.with_query_plans,
        versions=versions(),
    )


def _tell_graph(tell: Listener, pipeline: Pipeline) -> None:
    """Tell what is built from what, for whoever looks at the record alone."""
    names = {model.name for model in pipeline.models}
    tell(
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


@contextmanager
def _end_told(tell: Listener, folder: RunFolder) -> Iterator[None]:
    """Tell how the block ended if it failed, and raise what says so to the user."""
    try:
        yield
    except (PlanalignError, OSError) as error:
        _tell_end(tell, "run_failed", error=str(error))
        raise
    except BaseException as error:
        if not is_interruption(error):
            fault = environment_fault(f"the database of {folder.partial}", error)
            _tell_end(tell, "run_failed", error=str(fault or repr(error)))
            if fault is None:
                raise
            raise fault from error
        if folder.output.exists():  # it has its name: nothing may be written to it
            raise InterruptedRunError(
                f"stopped when {folder.output} was finished", "Nothing of it is missing."
            ) from error
        _tell_end(tell, "run_interrupted")
        raise InterruptedRunError(
            f"stopped; the whole years are kept in {folder.partial}",
            f"Go on with --resume --output {folder.output}",
        ) from error


def _tell_end(tell: Listener, kind: str, **details: str) -> None:
    """Tell that a run ended, if it can be written: on a full disk, why it did counts more."""
    with suppress(OSError):
        tell(kind, **details)
