"""Write the sample company of the dbt project: the default study of 200 employees.

Usage: python tools/sample_inputs.py FOLDER
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import duckdb

from planalign.census.read import read_census
from planalign.census.synthesise import generate_census
from planalign.config import parse, scenario_settings
from planalign.engine.compiler import pipeline_for
from planalign.engine.inputs import set_block, trajectories, write_inputs
from planalign.engine.project import Project

EMPLOYEES, SEED = 200, 42


def write_sample_inputs(folder: Path) -> None:
    """Write a CSV per table of schema `inputs`, rows in a stable order."""
    folder.mkdir(parents=True, exist_ok=True)
    pipeline = pipeline_for(Project.at(None))
    with tempfile.TemporaryDirectory() as scratch, duckdb.connect() as connection:
        census = Path(scratch, "census.parquet")
        generate_census(EMPLOYEES, SEED, census)
        config = parse({"census": str(census)}, Path(scratch))
        settings = scenario_settings(config)
        write_inputs(connection, pipeline, config, settings)
        set_block(connection, pipeline, trajectories(config, list(settings), [0]))
        read_census(
            connection,
            census,
            columns={},
            census_date=config.effective_census_date,
            table="inputs.census",
        )
        for source in pipeline.sources:
            connection.execute(
                f"copy (select * from {source.relation} order by all) to ? (header)",
                [str(folder / f"{source.name}.csv")],
            )


if __name__ == "__main__":
    write_sample_inputs(Path(sys.argv[1]))
