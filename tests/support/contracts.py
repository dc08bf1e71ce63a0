"""Tables of made-up runs, with the columns and types that the contracts of the marts declare."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import yaml

from planalign.marts.origin import Origin
from planalign.marts.packaged import PACKAGED, packaged_marts
from planalign.marts.tables import describe

if TYPE_CHECKING:
    import duckdb

# What stands in a column that a row leaves out and that is never empty, by type.
_PLAIN = {
    "BOOLEAN": "false",
    "DATE": "date '2000-01-01'",
    "JSON": "'{}'",
    "UUID": "'00000000-0000-4000-8000-000000000000'",
    "VARCHAR": "''",
}
_PROVENANCE = {
    "format": 2,
    "fingerprints": dict.fromkeys(("configuration", "census", "models", "reference_tables"), "f"),
    "versions": dict.fromkeys(("planalign", "dbt-core", "dbt-duckdb", "duckdb"), "1"),
}


@cache
def contracts() -> dict[str, dict[str, tuple[str, bool]]]:
    """Return the type of each column of each mart, and whether it may be empty."""
    return {
        model["name"]: {
            column["name"]: (column["data_type"], not column.get("constraints"))
            for column in model["columns"]
        }
        for path in sorted(PACKAGED.glob("models/*/*.yml"))
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", [])
        if model["name"] in packaged_marts()
    }


def create_marts(connection: duckdb.DuckDBPyConnection) -> None:
    """Create every mart without rows; a column may be empty, so that a test may damage it."""
    for mart, columns in contracts().items():
        listed = ", ".join(f'"{name}" {kind}' for name, (kind, _) in columns.items())
        connection.execute(f"create table {mart} ({listed})")


def insert(connection: duckdb.DuckDBPyConnection, mart: str, query: str) -> None:
    """Insert rows by name; what they leave out is empty, or plain where it may not be."""
    given = {name for name, *_ in connection.execute(f"describe {query}").fetchall()}
    columns = contracts()[mart]
    assert given <= columns.keys(), given - columns.keys()
    listed = ", ".join(
        f'"{name}"' if name in given else f'{_plain(*column)} as "{name}"'
        for name, column in columns.items()
    )
    connection.execute(f"insert into {mart} by name select {listed} from ({query})")


def _plain(kind: str, may_be_empty: bool) -> str:
    return "null" if may_be_empty else _PLAIN.get(kind, "0")


def declare(connection: duckdb.DuckDBPyConnection, years: tuple[int, int]) -> None:
    """Write what a run tells of its marts."""
    describe(connection, packaged_marts().values(), _PROVENANCE, Origin(*years, 1, 42))
