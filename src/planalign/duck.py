"""What every use of DuckDB shares: nothing fetched, one time zone, private spills, quoted text."""

from __future__ import annotations

import atexit
from functools import cache
from typing import TYPE_CHECKING
from uuid import uuid4

import duckdb

from planalign import scratch

if TYPE_CHECKING:
    from pathlib import Path

# Beside a table or a database DuckDB looks for an extension that reads it, fetches it
# from the network and runs it: for a results.duckdb that is SQLite's, for one.
_SEALED = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
# Else a time with a zone is another text on another machine. Of all cursors, and not known
# before DuckDB has its calendar, which is part of it.
_ONE_ZONE = "set global TimeZone = 'UTC'"


def connect(**settings: str) -> duckdb.DuckDBPyConnection:
    """Open a database in memory that fetches nothing and spills where nobody else reads.

    Args:
        settings: further ones, such as `memory_limit`.

    """
    # Two instances must not share a spill folder; DuckDB makes it when it first spills.
    spill = _spills() / uuid4().hex
    connection = duckdb.connect(config={"temp_directory": str(spill), **_SEALED, **settings})
    connection.execute(_ONE_ZONE)
    return connection


def seal(connection: duckdb.DuckDBPyConnection) -> None:
    """Keep an open connection from fetching extensions, and from the machine's time zone."""
    for name, value in _SEALED.items():
        connection.execute(f"set {name} = {value}")
    connection.execute(_ONE_ZONE)


def literal(text: object) -> str:
    """Return a text, such as a path, quoted for the places where SQL takes no parameter."""
    return "'" + str(text).replace("'", "''") + "'"


# What a database may hold beside tables that answers a query in the place of DuckDB's own
# functions.
_ODDITIES = (
    "select 'macro ' || function_name from duckdb_functions() where database_name = $1",
    "select 'type ' || type_name from duckdb_types() where database_name = $1 and not internal",
    "select 'schema ' || schema_name from duckdb_schemas() where database_name = $1 "
    "and schema_name not in ('main', 'inputs')",
)
_DEFAULTS = "from duckdb_columns() where database_name = $1 and column_default is not null limit 1"
# Of the text of every table, which takes time: asked for where there is a default or one of them.
_COMPUTED = (
    "select 'computed columns of ' || table_name from duckdb_tables() "
    "where database_name = $1 and contains(sql, 'GENERATED ALWAYS AS')"
)


def oddities(connection: duckdb.DuckDBPyConnection, database: str) -> list[str]:
    """Name what an attached database holds and no run holds, but for its views.

    Not to be asked through a connection on which that database is the current one.
    """
    # One after the other: DuckDB 1.5 takes twice as long for their union.
    queries = [*_ODDITIES]
    if connection.execute(_DEFAULTS, [database]).fetchall():
        queries.append(_COMPUTED)
    return sorted(
        str(name)
        for query in queries
        for (name,) in connection.execute(query, [database]).fetchall()
    )


def views(connection: duckdb.DuckDBPyConnection, database: str) -> list[tuple[str, str]]:
    """Return schema and name of each view of an attached database."""
    return connection.execute(
        "select schema_name, view_name from duckdb_views() "
        "where database_name = $1 and not internal order by all",
        [database],
    ).fetchall()


@cache
def _spills() -> Path:
    # DuckDB would make its folder with the umask of the process, in the working folder.
    folder, held = scratch.take("spill")
    atexit.register(held.close)
    atexit.register(scratch.remove, folder)
    return folder
