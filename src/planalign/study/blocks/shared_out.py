"""Who simulates a study: the run's own process alone, or workers too, and which of its blocks."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from planalign.errors import UsageError
from planalign.files import make_folder
from planalign.study.blocks.job import Study
from planalign.study.blocks.local import LocalWorkers
from planalign.study.blocks.side_by_side import SideBySide, split
from planalign.study.settings import share_of, threads_of
from planalign.study.simulation import BYTES_PER_EMPLOYEE, trajectories_per_block

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from planalign.engine.inputs import Trajectory
    from planalign.engine.project import Project
    from planalign.engine.run_folder import RunFolder
    from planalign.engine.year_processor import YearResult
    from planalign.study.request import Request
    from planalign.study.simulation import Simulation

# A process alone keeps 1.8 cores busy, so that one more pays from here on, in threads of each.
THREADS_EACH = 2
# Employees and years that are worth a worker: it takes a second to begin.
WORTH_A_WORKER = 250_000


def most_workers(request: Request, trajectories: int) -> int:
    """Return how many workers a study may have.

    Raises:
        UsageError: several were asked for, and the runner has none.
    """
    workers = request.config.resources.workers
    if request.runner != "direct":
        if workers not in {"auto", 1}:
            raise UsageError(
                f"the runner {request.runner} has no workers",
                "Use --runner direct, or leave resources.workers (--workers) at 1.",
            )
        return 1
    if workers == "auto":
        workers = max(1, threads_of(request.config.resources) // THREADS_EACH)
    return min(int(workers), trajectories)


def workers_for(request: Request, trajectories: int, opening: int) -> int:
    """Return how many workers a study has, of `trajectories` that are to be simulated whole.

    With `auto` as many as have enough to do, and whose memory holds a trajectory each.
    """
    config = request.config
    most = max(1, most_workers(request, trajectories))
    if config.resources.workers != "auto":
        return most
    work = trajectories * opening * len(config.simulation.years)
    most = min(most, max(1, work // WORTH_A_WORKER))
    held = config.resources.memory_bytes // max(1, BYTES_PER_EMPLOYEE * opening)
    return min(most, max(1, held - 1))  # the parent has a share, too


def simulated(
    request: Request,
    project: Project,
    folder: RunFolder,
    simulation: Simulation,
    asked: Sequence[Trajectory],
) -> Iterator[YearResult]:
    """Simulate what is not complete yet; yield each year completed.

    What an unfinished run or the cache has years of, the run's own process goes on with.
    """
    some, none = simulation.begun(asked)
    workers = workers_for(request, len(none), simulation.opening())
    if workers == 1:
        yield from simulation.years([*some, *none])
        return
    done = 0
    if some:
        for year in simulation.years(some):
            done += 1
            yield year
    make_folder(folder.blocks)
    with closing(_hired(request, project, folder, simulation, workers)) as hired:
        side_by_side = SideBySide(
            simulation.pipeline,
            simulation.database,
            hired,
            folder.blocks,
            simulation.tell,
            years_each=len(request.config.simulation.years),
            years_before=done,
            blocks_before=simulation.processor.blocks,
        )
        resources = share_of(request.config.resources, workers)
        most = trajectories_per_block(resources, simulation.opening())
        yield from side_by_side.years(split(none, workers, most))
    folder.drop_blocks()


def _hired(
    request: Request,
    project: Project,
    folder: RunFolder,
    simulation: Simulation,
    workers: int,
) -> LocalWorkers:
    """Return workers that have their share of the machine, and leave the run's process its own."""
    config, database = request.config, simulation.database
    shared = config.model_copy(update={"resources": share_of(config.resources, workers)})
    limit = shared.resources.memory_limit
    database.use(replace(database.settings, memory_limit=limit))
    study = Study.of(
        shared,
        project,
        simulation.pipeline,
        database,
        folder.blocks,
        with_query_plans=request.with_query_plans,
    )
    return LocalWorkers(study, workers, folder.blocks)
