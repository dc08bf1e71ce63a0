"""Companies and the inside of a simulated year."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from planalign.census.read import read_census
from planalign.config import scenario_settings
from planalign.engine.compiler import pipeline_for
from planalign.engine.database import Database, Settings
from planalign.engine.inputs import trajectories, write_inputs
from planalign.engine.pipeline import Pipeline, Step
from planalign.engine.project import Project
from planalign.engine.runners import make_runner
from planalign.engine.year_processor import YearProcessor
from planalign.study import configuration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import duckdb

    Stepped = Callable[..., duckdb.DuckDBPyConnection]


@pytest.fixture(scope="session")
def pipeline() -> Pipeline:
    return pipeline_for(Project.at(None))


@pytest.fixture
def stepped(pipeline: Pipeline, tmp_path: Path) -> Iterator[Stepped]:
    """Take a study through its first year up to, and with, a step.

    Gives a cursor on the database as it is then, with every intermediate table.
    """
    databases: list[Database] = []

    def load(config: Any, database: Database) -> None:
        with database.cursor() as cursor:
            write_inputs(cursor, pipeline, config, scenario_settings(config))
            read_census(
                cursor,
                config.census,
                columns=config.census_columns,
                census_date=config.effective_census_date,
                table="inputs.census",
            )

    def step_to(census: Path, last: Step, **sections: Any) -> duckdb.DuckDBPyConnection:
        config = configuration({"census": str(census), **sections})
        folder = tmp_path / f"stepped{len(databases)}"
        folder.mkdir()
        database = Database(folder / "results.duckdb", Settings(2, "2GB"))
        databases.append(database)
        database.create()
        runner = make_runner("direct", Project.at(None), pipeline, database)
        try:
            processor = YearProcessor(
                pipeline, database, runner, partial(load, config), lambda *_, **__: None
            )
            processor.run_step(Step.SETUP)
            names = list(scenario_settings(config))
            replicates = range(config.simulation.replicates)
            processor.begin_block(trajectories(config, names, replicates))
            processor.begin_year(config.simulation.start_year)
            steps = list(Step)
            for step in steps[1 : steps.index(last) + 1]:
                processor.run_step(step)
        finally:
            runner.close()
        return database.open().cursor()

    yield step_to
    for database in databases:
        database.release()


@pytest.fixture
def scaled(stepped: Stepped) -> Callable[..., list[tuple[float, float]]]:
    """Give each opening employee's probabilities of leaving and of promotion.

    The second is that of who stays. Computed from hazards and factors here, in the
    order of the employee's id.
    """

    def of(census: Path, **sections: Any) -> list[tuple[float, float]]:
        cursor = stepped(census, Step.REQUIREMENTS, **sections)
        rows = cursor.execute(
            "select voluntary_hazard + retirement_hazard, leaving.factor, promotion_hazard, "
            "promoting.factor from int_baseline_workforce "
            "join int_termination_scale as leaving using (trajectory_id) "
            "join int_promotion_scale as promoting using (trajectory_id) "
            "order by trajectory_id, employee_id"
        ).fetchall()
        return [
            (min(1.0, float(hazard * factor)), min(1.0, float(promotion * scale)))
            for hazard, factor, promotion, scale in rows
        ]

    return of
