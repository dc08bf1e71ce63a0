"""What a mart may declare, and what a run tells of it."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from planalign.marts.declaration import Mart, Sheet, faults_of, is_title, mart_of
from planalign.marts.origin import RUN, Origin
from planalign.marts.packaged import packaged_marts
from planalign.marts.tables import read_declared
from support.contracts import create_marts, declare

COLUMNS = ("scenario_id", "department", "headcount")


def test_a_declaration_is_read_with_its_defaults() -> None:
    meta: dict[str, Any] = {"key": ["scenario_id", "department"]}
    texts = {"scenario_id": "Name of\n  the scenario.", "department": None}
    assert [*faults_of(meta, COLUMNS)] == []
    assert mart_of("fct_a", meta, "One row.\n", texts) == Mart(
        "fct_a",
        ("scenario_id", "department"),
        ("scenario_id", "department"),
        None,
        "One row.",
        (("scenario_id", "Name of the scenario."), ("department", "")),
    )
    meta |= {"order": ["headcount"], "sheet": {"title": "Heads", "place": 60}}
    assert [*faults_of(meta, COLUMNS)] == []
    mart = mart_of("fct_a", meta, None, {})
    assert (mart.order, mart.sheet) == (("headcount",), Sheet("Heads", 60))


@pytest.mark.parametrize(
    ("meta", "words"),
    [
        ({}, "declares no key"),
        *(({"key": value}, "has an odd key") for value in (None, [], "a", [1], ["a", "a"], {})),
        ({"key": ["scenario_id", "grade"]}, "has a column in its key that it does not declare"),
        ({"order": None}, "has an odd order"),
        ({"order": ["grade"]}, "has a column in its order that it does not declare"),
        *(
            ({"sheet": value}, "has an odd sheet")
            for value in (
                None,
                "Heads",
                {"title": "Heads"},
                {"title": "Heads", "place": True},
                {"title": "Heads", "place": "60"},
                {"title": "Heads", "place": 1, "colour": "red"},
            )
        ),
    ],
)
def test_what_cannot_be_declared_is_said(meta: dict[str, Any], words: str) -> None:
    given = {"key": ["scenario_id"]} | meta if meta else meta
    assert [found for found, _ in faults_of(given, COLUMNS)] == [words]


@pytest.mark.parametrize(
    "title", ["", "x" * 32, "a/b", "[a]", "'a", "a'", "a\nb", "Inputs", "HISTORY", "provenance", 7]
)
def test_a_sheet_cannot_be_called_so(title: object) -> None:
    assert not is_title(title)


def test_a_sheet_can_be_called_so() -> None:
    assert all(is_title(title) for title in ("Plan costs", "x" * 31, "Größe 日本", "it's", "=1"))


@pytest.fixture
def database() -> Any:
    """A database with every mart, and what a run tells of them."""
    with duckdb.connect() as connection:
        create_marts(connection)
        declare(connection, (2025, 2026))
        yield connection


def columns(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for table, column in connection.execute(
        "select table_name, column_name from duckdb_columns() where not internal"
    ).fetchall():
        found.setdefault(table, []).append(column)
    return found


def test_what_is_written_is_read_and_can_be_written_again(database: Any) -> None:
    declare(database, (2025, 2027))
    found = read_declared(database, "memory", columns(database))
    assert found is not None
    expected = {**packaged_marts(), RUN.name: RUN}
    assert {name: (m.key, m.order, m.sheet) for name, m in found.items()} == {
        name: (m.key, m.order, m.sheet) for name, m in expected.items()
    }
    comments = database.execute(
        "select table_name, column_name, comment from duckdb_columns() where comment is not null"
    ).fetchall()
    assert {(table, column): text for table, column, text in comments} == {
        (mart.name, column): text for mart in expected.values() for column, text in mart.columns
    }
    assert database.execute("select first_year, last_year from dim_run").fetchall() == [
        (2025, 2027)
    ]


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("insert into run_marts from run_marts where mart = 'dim_run'", "dim_run twice"),
        ("update run_marts set sheet = 'Inputs' where mart = 'dim_run'", "odd sheet of dim_run"),
        ("update run_marts set place = null", "odd sheet of fct_compensation_trends"),
        ("update run_marts set sheet = 'PLAN costs' where place = 10", "sheet plan costs twice"),
    ],
)
def test_a_declaration_that_cannot_be_one_is_said(database: Any, sql: str, words: str) -> None:
    database.execute(sql)
    with pytest.raises(ValueError, match=words):
        read_declared(database, "memory", columns(database))


def test_the_name_of_a_run_is_that_of_what_it_is_computed_from() -> None:
    fingerprints = dict.fromkeys(("configuration", "census", "models", "reference_tables"), "f")
    versions = dict.fromkeys(("planalign", "dbt-core", "dbt-duckdb", "duckdb"), "1")
    made = {"format": 2, "fingerprints": fingerprints, "versions": versions}
    origin = Origin(2025, 2026, 4, 42)
    name, *rest = origin.row(made)
    assert [name, *rest] == origin.row(made)
    assert len(rest) == len(RUN.columns) - 1
    others = [
        origin.row({**made, "versions": {**versions, "duckdb": "2"}}),
        origin.row({**made, "fingerprints": {**fingerprints, "census": "g"}}),
        Origin(2025, 2027, 4, 42).row(made),
    ]
    assert len({name, *(row[0] for row in others)}) == 4
