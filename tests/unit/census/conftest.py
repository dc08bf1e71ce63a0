from __future__ import annotations

import csv
from datetime import date
from typing import TYPE_CHECKING

import duckdb
import pytest

from planalign.census.read import CensusSummary, read_census
from planalign.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CENSUS_DATE = date(2024, 12, 31)

# A row that breaks no rule, as text.
SOUND = {
    "employee_id": "E1",
    "birth_date": "1985-03-31",
    "hire_date": "2015-06-01",
    "annual_compensation": "52000.50",
    "job_level": "2",
}


@pytest.fixture(scope="session")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


@pytest.fixture
def connection(database: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database; one for all tests, because opening it takes longer than most of them."""
    with database.cursor() as cursor:
        yield cursor
        cursor.execute("drop table if exists census")
        cursor.execute("drop schema if exists inputs cascade")


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write rows, each a change to the sound one, as a CSV file."""

    def write_rows(*changes: dict[str, str], **dialect: str) -> Path:
        rows = [{**SOUND, "employee_id": f"E{n}", **row} for n, row in enumerate(changes, start=1)]
        names = list(dict.fromkeys(name for row in rows for name in row)) or list(SOUND)
        path = tmp_path / "census.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, names, restval="", **dialect)
            writer.writeheader()
            writer.writerows(rows)
        return path

    return write_rows


@pytest.fixture
def read(connection: duckdb.DuckDBPyConnection) -> Callable[..., CensusSummary]:
    def read_path(path: Path, **columns: str) -> CensusSummary:
        return read_census(connection, path, columns=columns, census_date=CENSUS_DATE)

    return read_path


@pytest.fixture
def problems(
    connection: duckdb.DuckDBPyConnection, read: Callable[..., CensusSummary]
) -> Callable[..., tuple[Problem, ...]]:
    """Read a census that must be refused, and leave nothing behind."""

    def found(path: Path, **columns: str) -> tuple[Problem, ...]:
        with pytest.raises(InputError) as caught:
            read(path, **columns)
        assert connection.execute("select table_name from duckdb_tables()").fetchall() == []
        for problem in caught.value.problems:
            assert problem.file == str(path)
            assert problem.message
            assert problem.remedy
        return caught.value.problems

    return found
