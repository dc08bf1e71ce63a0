"""Run a study: what is asked, where it is built, and how it ends."""

from __future__ import annotations

import json
import os
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planalign.config import Config, load, parse, scenario_settings
from planalign.engine.compiler import pipeline_for
from planalign.engine.faults import environment_fault
from planalign.engine.inputs import LAST_REPLICATE, Trajectory, settings_text, trajectories
from planalign.engine.machine import Machine
from planalign.engine.project import Project
from planalign.engine.retry import Policy, Retry
from planalign.engine.run_folder import census_fingerprint, provenance, run_folder, versions
from planalign.engine.telemetry import FORMAT, EventLog, Listener, broadcast, unheard
from planalign.errors import (
    InterruptedRunError,
    PlanalignError,
    UsageError,
)
from planalign.interruption import is_interruption
from planalign.simulation import Simulation, settings_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planalign.engine.pipeline import Pipeline
    from planalign.engine.year_cache import YearCache
    from planalign.engine.year_processor import YearResult


@dataclass(frozen=True)
class Request:
    """What to run of a configuration, and how.

    `scenario` chooses one of those configured, `replicate` any from 0 on; the
    result is the one it has among all. With a `cache`, `direct` takes the years
    that an earlier run has computed from it; the other runners compute every year.
    `with_plans` records how DuckDB executed each model, which changes no result.
    """

    config: Config
    output: Path | None = None
    runner: str = "direct"
    scenario: str | None = None
    replicate: int | None = None
    resume: bool = False
    cache: YearCache | None = None
    with_plans: bool = False


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


def provenance_of(request: Request) -> dict[str, Any]:
    """Return what a study is computed from, fingerprints and versions, without running it.

    Raises:
        InputError: the census cannot be read.
        ModelError: the models cannot be compiled.
        UsageError: the request does not fit the configuration.
    """
    return _origin(request, Project.at(request.config.dbt_project), unheard)[1]


def _origin(request: Request, project: Project, tell: Listener) -> tuple[Pipeline, dict[str, Any]]:
    """Return the compiled models of a study, and what it is computed from."""
    config = request.config
    census = census_fingerprint(config.census)
    pipeline = pipeline_for(project, lambda: tell("compiling", project=str(project.folder)))
    influences = _influences(config, _plan(request))
    return pipeline, provenance(influences, census, project, pipeline)


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
    plan = _plan(request)
    folder = run_folder(request.output, request.runner)
    project = Project.at(request.config.dbt_project)
    with folder.claimed(resume=request.resume), closing(EventLog(folder.events)) as log:
        tell = broadcast(log, listener)
        simulation = request.config.simulation
        tell(
            "run_started",
            format=FORMAT,
            runner=request.runner,
            first_year=simulation.start_year,
            last_year=simulation.end_year,
            trajectories=len(plan),
            resumed=request.resume,
            cores=len(os.sched_getaffinity(0)),
            threads=settings_of(request.config).threads,
            memory_limit_bytes=request.config.resources.memory_bytes,
            with_plans=request.with_plans,
            versions=versions(),
        )
        run = Simulation(request, plan, folder, project, tell, machine, policy)
        try:
            years = run.run(*_origin(request, project, tell))
            # Before the run gets its name, for nothing is written to it afterwards.
            tell("run_completed", seconds=round(time.perf_counter() - started, 6))
            path = folder.publish(Retry(tell, policy, machine.sleep), machine.rename)
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
        run.keep(path, years, Retry(listener, policy, machine.sleep))
    return Completed(path, tuple(years), time.perf_counter() - started)


def _tell_end(tell: Listener, kind: str, **details: str) -> None:
    """Tell that a run ended, if it can be written: on a full disk, why it did counts more."""
    with suppress(OSError):
        tell(kind, **details)


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
        if not 0 <= request.replicate <= LAST_REPLICATE:
            raise UsageError(
                f"there is no replicate {request.replicate}",
                f"They count from 0; the last is {LAST_REPLICATE}.",
            )
        replicates = range(request.replicate, request.replicate + 1)
    return trajectories(config, names, replicates)


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
                name: settings_text(settings[name]) for name in sorted({t.scenario for t in plan})
            },
        },
        sort_keys=True,
    )
