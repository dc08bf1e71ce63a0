"""Columns that a study adds to its census: read by their types, refused, warned of, profiled."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from planalign.census.check import check_census
from planalign.census.columns import NAMES
from planalign.census.read import read_census
from planalign.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import duckdb

    from planalign.errors import Problem

CENSUS_DATE = date(2024, 12, 31)
EXTRA = {
    "location": "text",
    "grade": "integer",
    "score": "number",
    "since": "date",
    "remote": "boolean",
}


def rows_of(
    connection: duckdb.DuckDBPyConnection, path: Path, extra: dict[str, str], **names: str
) -> list[tuple]:
    read_census(connection, path, columns=names, census_date=CENSUS_DATE, extra_columns=extra)
    listed = ", ".join(extra)
    return connection.execute(f"select {listed} from census order by employee_id").fetchall()


def test_each_type_is_read_and_stored_behind_the_declared_columns(
    connection: duckdb.DuckDBPyConnection, write: Callable[..., Path]
) -> None:
    path = write(
        {"location": " Austin ", "grade": "12", "score": "1.2345678", "since": "2020-02-29",
         "remote": "yes"},
        {"location": "", "grade": "", "score": "", "since": "", "remote": ""},
    )  # fmt: skip
    assert rows_of(connection, path, EXTRA) == [
        ("Austin", 12, Decimal("1.234568"), date(2020, 2, 29), True),
        (None, None, None, None, None),
    ]
    described = connection.execute("describe census").fetchall()
    assert [(row[0], row[1]) for row in described][-len(EXTRA) :] == [
        ("location", "VARCHAR"),
        ("grade", "BIGINT"),
        ("score", "DECIMAL(18,6)"),
        ("since", "DATE"),
        ("remote", "BOOLEAN"),
    ]
    # Grade and location of ours give way to those of the study.
    ours = [name for name in NAMES if name not in EXTRA]
    assert [row[0] for row in described] == [*ours, *EXTRA]


def test_a_file_may_call_it_something_else(
    connection: duckdb.DuckDBPyConnection, write: Callable[..., Path]
) -> None:
    path = write({"SITE": "Austin", "location": "not this one"})
    assert rows_of(connection, path, {"location": "text"}, location="site") == [("Austin",)]


def problems_of(
    connection: duckdb.DuckDBPyConnection, path: Path, extra: dict[str, str]
) -> tuple[Problem, ...]:
    with pytest.raises(InputError) as caught:
        rows_of(connection, path, extra)
    return caught.value.problems


def test_what_is_no_value_of_its_type_is_refused_with_its_line(
    connection: duckdb.DuckDBPyConnection, write: Callable[..., Path]
) -> None:
    path = write(
        {"location": "x" * 257, "grade": "1.5", "score": "1,5", "since": "1/2/20", "remote": "?"}
    )
    found = problems_of(connection, path, EXTRA)
    assert [(one.line, one.column, one.message) for one in found] == [
        (2, "location", "longer than 256 characters"),
        (2, "grade", "not a whole number"),
        (2, "score", "a number with a thousands separator or a decimal comma"),
        (2, "since", "not a date"),
        (2, "remote", "not true or false"),
    ]
    assert found[1].remedy == "Write a whole number"


def test_a_column_that_the_file_lacks_is_refused(
    connection: duckdb.DuckDBPyConnection, write: Callable[..., Path]
) -> None:
    [problem] = problems_of(connection, write({"locations": "Austin"}), {"location": "text"})
    assert (problem.column, problem.message) == (
        "location",
        "column of extra_columns that is not in the file",
    )
    assert "locations" in problem.remedy


def test_the_check_warns_of_numbers_of_persons_and_counts_the_groups(
    write: Callable[..., Path],
) -> None:
    path = write({"location": "Austin"}, {"location": "123-45-6789"}, {"location": "Austin"}, {})
    report = check_census(
        path, columns={}, census_date=CENSUS_DATE, extra_columns={"location": "text"}
    )
    warned = [one for one in report.warnings if one.column == "location"]
    assert [one.code for one in warned] == ["social_security_number"]
    assert report.profile is not None
    assert report.as_dict()["profile"]["extra_columns"] == {
        "location": (
            {"value": "Austin", "employees": 2},
            {"value": "123-45-6789", "employees": 1},
            {"value": None, "employees": 1},
        )
    }
