"""Statements that are parsed once and executed every year."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


class Statements:
    """Statements that are parsed once and executed every year.

    Parsing takes DuckDB 2.0 as long as planning: 0.1 s for the models of a year.
    """

    def __init__(self) -> None:
        self._parsed: dict[str, list[duckdb.Statement]] = {}

    def has(self, sql: str) -> bool:
        """Say whether it has been parsed."""
        return sql in self._parsed

    def execute(self, cursor: duckdb.DuckDBPyConnection, sql: str) -> duckdb.DuckDBPyConnection:
        """Execute SQL; no two threads may execute the same at once."""
        if sql not in self._parsed:
            self._parsed[sql] = cursor.extract_statements(sql)
        for statement in self._parsed[sql]:
            cursor.execute(statement)
        return cursor
