"""Who simulates a study: the run's own process alone, or workers too, and which of its blocks."""

from __future__ import annotations

import pickle
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from planalign.errors import UsageError
from planalign.files import make_folder
from planalign.study.blocks.job import QUICK, SMALL, Study
from planalign.study.blocks.local import LocalWorkers
from planalign.study.blocks.side_by_side import SideBySide, split
from planalign.study.settings import of_a_cluster, share_of, threads_of
from planalign.study.simulation import BYTES_PER_EMPLOYEE, trajectories_per_block

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from planalign.config.models import Resources
    from planalign.engine.inputs import Trajectory
    from planalign.engine.project import Project
    from planalign.engine.run_folder import RunFolder
    from planalign.engine.year_processor import YearResult
    from planalign.study.blocks.cluster import ClusterWorkers
    from planalign.study.blocks.local import Workers
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
        if workers not in {"auto", 1} or request.cluster is not None:
            raise UsageError(
                f"the runner {request.runner} has no workers",
                "Use --runner direct, or neither --cluster nor resources.workers (--workers).",
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


@contextmanager
def reached(request: Request) -> Iterator[ClusterWorkers | None]:
    """Lend the workers of the cluster that a study is to be simulated on, if it is.

    Raises:
        EnvironmentFaultError: they cannot be reached, or have other versions.
    """
    if request.cluster is None:
        yield None
        return
    from planalign.study.blocks.cluster import ClusterWorkers  # noqa: PLC0415 - with Dask

    with closing(ClusterWorkers(request.cluster)) as workers:
        yield workers


def simulated(
    request: Request,
    project: Project,
    folder: RunFolder,
    simulation: Simulation,
    asked: Sequence[Trajectory],
    *,
    cluster: ClusterWorkers | None = None,
) -> Iterator[YearResult]:
    """Simulate what is not complete yet; yield each year completed.

    What an unfinished run or the cache has years of, the run's own process goes on with.
    """
    some, none = simulation.begun(asked)
    workers = workers_for(request, len(none), simulation.opening()) if cluster is None else 0
    if workers == 1 or not none:
        yield from simulation.years([*some, *none])
        return
    done = 0
    if some:
        for year in simulation.years(some):
            done += 1
            yield year
    resources = request.config.resources
    make_folder(folder.blocks)
    with ExitStack() as stack:
        hired: Workers
        if cluster is None:
            resources = share_of(resources, workers)
            settings = simulation.database.settings
            simulation.database.use(replace(settings, memory_limit=resources.memory_limit))
            study = _study(request, resources, project, folder, simulation)
            hired = stack.enter_context(closing(LocalWorkers(study, workers, folder.blocks)))
        else:
            resources = of_a_cluster(resources)
            cluster.hold(_study(request, resources, project, folder, simulation))
            hired = cluster
        side_by_side = SideBySide(
            simulation.pipeline,
            simulation.database,
            hired,
            folder.blocks,
            simulation.tell,
            years_each=len(request.config.simulation.years),
            years_before=done,
            blocks_before=simulation.processor.blocks,
            compression=QUICK if cluster is None else SMALL,
        )
        most = trajectories_per_block(resources, simulation.opening())
        yield from side_by_side.years(split(none, hired.count, most))
    folder.drop_blocks()


def _study(
    request: Request,
    resources: Resources,
    project: Project,
    folder: RunFolder,
    simulation: Simulation,
) -> bytes:
    """Return what all blocks are computed from, pickled."""
    return pickle.dumps(
        Study.of(
            request.config.model_copy(update={"resources": resources}),
            project,
            simulation.pipeline,
            simulation.database,
            folder.blocks,
            with_query_plans=request.with_query_plans,
        )
    )
