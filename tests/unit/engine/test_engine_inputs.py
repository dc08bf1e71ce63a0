"""What the models are told is written by name, or not at all."""

from collections.abc import Iterator

import duckdb
import pytest

from planalign.engine.inputs import _fill
from planalign.engine.pipeline import Column, Source

SOURCE = Source("limits", (Column("a", "INTEGER"), Column("b", "VARCHAR")))


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute("create schema inputs")
        yield opened


def test_rows_are_written_by_name(connection: duckdb.DuckDBPyConnection) -> None:
    _fill(connection, SOURCE, [{"b": "x", "a": 1}])
    assert connection.execute("select a, b from inputs.limits").fetchall() == [(1, "x")]


@pytest.mark.parametrize(("row", "odd"), [({"a": 1}, "b"), ({"a": 1, "b": "x", "c": 2}, "c")])
def test_a_column_that_only_one_side_knows_is_refused(
    connection: duckdb.DuckDBPyConnection, row: dict[str, object], odd: str
) -> None:
    with pytest.raises(ValueError, match=rf'"inputs"."limits" differ: {odd}; .*declared.py'):
        _fill(connection, SOURCE, [row])
