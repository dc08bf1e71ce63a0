"""What goes to a worker and what comes back, as plain values: by content, and no path of the run.

A *block job* can be pickled and done by any process that has the package, on this machine or
on another one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planalign.duck import literal
from planalign.engine.run_folder import versions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planalign.config import Config
    from planalign.engine.database import Database
    from planalign.engine.inputs import Trajectory
    from planalign.engine.pipeline import Pipeline
    from planalign.engine.project import Project
    from planalign.engine.year_processor import YearResult
    from planalign.errors import PlanalignError

# The part that says which years of which trajectories the others hold.
COMPLETE = "run_years"
# What a part is compressed with where it is read again at once, and where it travels or stays.
QUICK, SMALL = "snappy", "zstd"


@dataclass(frozen=True)
class Study:
    """What all blocks of a study are computed from; a worker is sent it once.

    `config` has a worker's share of the resources, `tables` the reference tables by their path
    in the model project, and `census` the census that was read, as Parquet.
    """

    config: Config
    pipeline: Pipeline
    tables: Mapping[str, bytes]
    census: bytes
    with_query_plans: bool = False
    versions: Mapping[str, str] = field(default_factory=versions)

    @classmethod
    def of(
        cls,
        config: Config,
        project: Project,
        pipeline: Pipeline,
        database: Database,
        place: Path,
        *,
        with_query_plans: bool,
    ) -> Study:
        """Return a study by content, from a database that is set up.

        Args:
            config: with a worker's share of the resources.
            project: has the reference tables.
            pipeline: as the run executes it.
            database: has the census.
            place: a folder, for a file that is removed again.
            with_query_plans: whether workers tell how DuckDB executed each model.
        """
        census = place / "census.parquet"
        with database.cursor() as cursor:
            cursor.execute(f"copy inputs.census to {literal(census)} (format parquet)")
        nowhere: dict[str, Any] = {"census": Path(census.name), "dbt_project": None, "models": None}
        try:
            return cls(
                config.model_copy(update=nowhere),
                pipeline,
                {seed.path: (project.folder / seed.path).read_bytes() for seed in pipeline.seeds},
                census.read_bytes(),
                with_query_plans,
            )
        finally:
            census.unlink()


@dataclass(frozen=True)
class BlockJob:
    """Trajectories that are to go through all years together, and how their rows are compressed."""

    number: int
    trajectories: tuple[Trajectory, ...]
    compression: str = QUICK


@dataclass(frozen=True)
class Told:
    """An event of a worker: `time` and `clock` are those of its machine."""

    job: int
    worker: str
    kind: str
    time: float
    clock: float
    details: Mapping[str, Any]


@dataclass(frozen=True)
class BlockOutcome:
    """The years of a block that are complete, and their rows.

    `parts` are Parquet files by the name of the fact, `COMPLETE` among them: paths where the
    caller sees the worker's folder, else their content. Without all years there is an `error`.
    Seconds are those of the worker, on the clock and of its processor.
    """

    job: BlockJob
    years: tuple[YearResult, ...]
    parts: Mapping[str, Path | bytes]
    error: PlanalignError | None = None
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    events: tuple[Told, ...] = ()
