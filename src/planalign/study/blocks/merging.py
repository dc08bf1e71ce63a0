"""Put the rows that a worker computed into the run's database: all of a block, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planalign.duck import literal
from planalign.record.telemetry import timed
from planalign.study.blocks.job import COMPLETE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import duckdb

    from planalign.engine.database import Database
    from planalign.engine.pipeline import Model, Pipeline

# What the rows of a fact may belong to: those that belong to a year of one trajectory
# come with it alone, all others may be there already.
_KEYS = ("scenario_id", "replicate", "simulation_year")


def merge(
    database: Database, pipeline: Pipeline, parts: Mapping[str, Path], what: str = "a block"
) -> None:
    """Insert the rows of a block, none of whose years are there, and mark its years complete.

    Args:
        database: of the run.
        pipeline: names the facts and their columns.
        parts: a Parquet file for each fact, and `COMPLETE`.
        what: is merged, for people to read.

    Raises:
        duckdb.Error: disk or memory did not suffice; nothing was inserted.
    """

    def work(cursor: duckdb.DuckDBPyConnection) -> None:
        cursor.begin()
        for fact in pipeline.yearly_facts:
            cursor.execute(_insertion(fact, parts[fact.name]))
        cursor.execute(
            f"insert into {COMPLETE} by name from read_parquet({literal(parts[COMPLETE])})"
        )
        cursor.commit()

    with timed(database.tell, f"merging {what}"):
        database.attempt(f"merging {what}", work)


def _insertion(fact: Model, part: Path) -> str:
    names = ", ".join(f'"{column.name}"' for column in fact.columns)
    typed = ", ".join(
        f'"{column.name}"::{column.data_type} as "{column.name}"' for column in fact.columns
    )
    keys = [name for name in _KEYS if any(column.name == name for column in fact.columns)]
    new = ""
    if len(keys) < len(_KEYS):
        key = ", ".join(keys)
        new = f" where ({key}) not in (select ({key}) from {fact.relation})"  # noqa: S608 - compiled names
    rows = f"(select {typed} from read_parquet({literal(part)}))"  # noqa: S608 - compiled names
    return f"insert into {fact.relation} ({names}) select {names} from {rows}{new}"  # noqa: S608 - compiled names
