"""Nothing on the way to a result is inexact, and nothing comes from clock or chance."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import duckdb
import pytest

from planalign.engine.model_check import build_empty
from planalign.engine.pipeline import Step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Studies
    from planalign.engine.pipeline import Pipeline

INEXACT = re.compile(r"DOUBLE|FLOAT|REAL")
ONE_YEAR = {"start_year": 2025, "end_year": 2025}
COLUMNS = (
    "select schema_name, table_name, column_name, data_type from duckdb_columns() "
    "where not internal"
)


def inexact_columns(rows: list[tuple[str, str, str, str]]) -> list[tuple[str, ...]]:
    return [row for row in rows if INEXACT.search(row[-1])]


def test_no_column_of_a_finished_run_is_inexact(studies: Studies) -> None:
    run = studies.simulate(studies.generated(50), simulation=ONE_YEAR)
    rows = run.sql(COLUMNS).fetchall()
    tables = {(schema, table) for schema, table, *_ in rows}
    assert {("main", mart) for mart in run.marts} < tables
    assert ("inputs", "workforce_parameters") in tables
    assert inexact_columns(rows) == []


def test_no_column_of_a_year_in_hand_is_inexact(
    studies: Studies,
    stepped: Callable[..., duckdb.DuckDBPyConnection],
    pipeline: Pipeline,
) -> None:
    cursor = stepped(studies.generated(50), Step.VALIDATION, simulation=ONE_YEAR)
    rows = cursor.execute(COLUMNS).fetchall()
    assert {model.name for model in pipeline.models} <= {table for _, table, *_ in rows}
    assert inexact_columns(rows) == []
    cursor.execute("create table mistake as select 1 / 3 as share, [0.5::float] as list")
    assert len(inexact_columns(cursor.execute(COLUMNS).fetchall())) == 2


@pytest.fixture(scope="module")
def empty(pipeline: Pipeline) -> Iterator[duckdb.DuckDBPyConnection]:
    """The project built without rows, to plan its queries on."""
    with duckdb.connect() as connection:
        build_empty(pipeline, connection)
        yield connection


def inexact_types(connection: duckdb.DuckDBPyConnection, sql: str) -> set[str]:
    """Return the inexact types of all expressions in the plan of a query."""
    literal = sql.replace("'", "''")
    [(text,)] = connection.execute(
        f"select json_serialize_plan('{literal}', optimize := false)"
    ).fetchall()
    plan = json.loads(text)
    assert plan["error"] is False, plan
    assert "DECIMAL" in text or "INTEGER" in text
    return set(re.findall(r'"id": ?"(DOUBLE|FLOAT)"', text))


def test_no_expression_of_a_model_is_inexact(
    empty: duckdb.DuckDBPyConnection, pipeline: Pipeline
) -> None:
    found = {model.name: inexact_types(empty, model.sql) for model in pipeline.models}
    assert len(found) > 25
    assert {name for name, types in found.items() if types} == set()


@pytest.mark.parametrize(
    "sql",
    [
        "select round(replicate / 2, 2)::decimal(9, 2) as a from inputs.trajectories",
        "select avg(annual_compensation)::decimal(15, 2) as a from inputs.census",
        "select 1 as a from inputs.census where annual_compensation * 1e0 > 2",
        "select 1 as a from inputs.census order by sqrt(job_level)",
        "select sum(job_level::float) over () > 1 as a from inputs.census",
    ],
)
def test_an_inexact_expression_is_found(empty: duckdb.DuckDBPyConnection, sql: str) -> None:
    assert inexact_types(empty, sql)


KEYWORDS = {
    "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "rowid",
    "tablesample",
}  # fmt: skip


def used_in(sql: str) -> set[str]:
    """Return what a statement calls, outside texts and comments."""
    code = re.sub(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", " ", sql, flags=re.DOTALL).lower()
    words = set(re.findall(r"[a-z_]\w*", code))
    return set(re.findall(r"([a-z_]\w*)\s*\(", code)) | (words & KEYWORDS)


@pytest.fixture(scope="module")
def unstable() -> set[str]:
    """What gives another value at another time, or in another version of DuckDB."""
    with duckdb.connect() as connection:
        rows = connection.execute(
            "select distinct function_name from duckdb_functions() "
            "where stability in ('VOLATILE', 'CONSISTENT_WITHIN_QUERY')"
        ).fetchall()
    names = {name for (name,) in rows}
    assert {"random", "now", "gen_random_uuid", "nextval"} <= names
    # Not marked so, but they depend on the version, the threads or the machine.
    others = {
        "hash", "approx_quantile", "approx_count_distinct", "reservoir_quantile", "exp", "ln",
        "log", "pow", "power", "sqrt",
    }  # fmt: skip
    return names | others | KEYWORDS


def test_no_statement_uses_clock_or_chance(pipeline: Pipeline, unstable: set[str]) -> None:
    statements = {
        **{model.name: "\n".join(model.statements()) for model in pipeline.models},
        **{test.name: test.statement for test in pipeline.tests},
    }
    assert len(statements) > 60
    found = {name: used_in(sql) & unstable for name, sql in statements.items()}
    # Tests of a reference table tell the row of a fault by its place, and make no result:
    # the table is loaded from its file in order, on one thread.
    for test in pipeline.tests:
        if test.is_of_reference_table:
            found[test.name] -= {"rowid"}
    assert {name: words for name, words in found.items() if words} == {}


def test_clock_and_chance_are_found(unstable: set[str]) -> None:
    for sql in (
        "select now()",
        "select current_date - 1",
        "select Random() -- fine",
        "SELECT uuid()",
    ):
        assert used_in(sql) & unstable
    assert not used_in("select 'now()' as a -- random()") & unstable


def test_lists_and_texts_are_aggregated_in_order(pipeline: Pipeline) -> None:
    """An aggregate that keeps its input's order says which order that is."""
    unordered = re.compile(
        r"\b(list|array_agg|string_agg|group_concat|first|last|arbitrary)\s*\(", re.IGNORECASE
    )
    found = []
    for model in pipeline.models:
        code = re.sub(r"--[^\n]*|'(?:[^']|'')*'", " ", model.sql)
        for match in unordered.finditer(code):
            depth, end = 1, match.end()
            while depth:
                depth += {"(": 1, ")": -1}.get(code[end], 0)
                end += 1
            if not re.search(r"\border\s+by\b", code[match.end() : end], re.IGNORECASE):
                found.append((model.name, code[match.start() : end]))
    # The trajectories of a block, unnested again at once.
    assert found == [("int_baseline_workforce", "list(trajectory_id)")]
