"""What a run's database says of its marts: `run_marts`, `dim_run`, and comments of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planalign.duck import literal
from planalign.marts.declaration import Mart, Sheet, is_title, repeated_titles
from planalign.marts.origin import RUN, RUN_TYPES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    import duckdb

    from planalign.marts.origin import Origin

# Tables of the engine's own, beside the marts.
OWN_TABLES = ("run_years", "run_marts")
_MARTS = (
    "mart varchar not null, key varchar[] not null, reading_order varchar[] not null, "
    "sheet varchar, place integer"
)


def describe(
    cursor: duckdb.DuckDBPyConnection,
    marts: Iterable[Mart],
    provenance: Mapping[str, Any],
    origin: Origin,
) -> None:
    """Write what the marts declare, their comments and `dim_run`; the marts are there.

    Args:
        cursor: of the run's database.
        marts: those of the compiled project.
        provenance: format, fingerprints and versions.
        origin: the rest.
    """
    columns = ", ".join(f"{name} {kind} not null" for name, kind in RUN_TYPES.items())
    row = origin.row(provenance)
    described = sorted((*marts, RUN), key=lambda mart: mart.name)
    cursor.begin()
    cursor.execute(f"create or replace table {RUN.name} ({columns})")
    cursor.execute(f"insert into {RUN.name} values ({', '.join('?' * len(row))})", row)  # noqa: S608 - names of ours
    cursor.execute(f"create or replace table run_marts ({_MARTS})")
    cursor.executemany(
        "insert into run_marts values (?, ?, ?, ?, ?)",
        [
            (
                mart.name,
                list(mart.key),
                list(mart.order),
                mart.sheet and mart.sheet.title,
                mart.sheet and mart.sheet.place,
            )
            for mart in described
        ],
    )
    cursor.execute("; ".join(comment for mart in described for comment in _comments(mart)))
    cursor.commit()


def _comments(mart: Mart) -> list[str]:
    table = f'main."{mart.name}"'
    return [
        f"comment on table {table} is {_text(mart.description)}",
        *(f'comment on column {table}."{name}" is {_text(text)}' for name, text in mart.columns),
    ]


def _text(description: str) -> str:
    return literal(description) if description else "null"


def read_declared(
    connection: duckdb.DuckDBPyConnection, database: str, columns: Mapping[str, Collection[str]]
) -> dict[str, Mart] | None:
    """Return the marts that a run declares, as far as it has them; nothing if it declares none.

    Args:
        connection: on which the run is attached.
        database: the alias of the run.
        columns: those of each mart of the run.

    Raises:
        ValueError: the declaration cannot be one, and why.
        duckdb.Error: it cannot be read.
    """
    is_there = connection.execute(
        "from duckdb_tables() where database_name = $1 and schema_name = 'main' "
        "and table_name = 'run_marts'",
        [database],
    ).fetchall()
    if not is_there:
        return None
    rows = connection.execute(
        "select mart::varchar, key::varchar[], reading_order::varchar[], sheet::varchar, "  # noqa: S608 - an alias of ours
        f"place::integer from {database}.main.run_marts order by all"
    ).fetchall()
    found = {}
    for name, key, order, title, place in rows:
        there = columns.get(name, ())
        if not there:
            continue
        if name in found:
            raise ValueError(f"run_marts declares {name} twice")
        if title is not None and not (is_title(title) and isinstance(place, int)):
            raise ValueError(f"run_marts declares an odd sheet of {name}")
        sheet = None if title is None else Sheet(title, place)
        found[name] = Mart(name, tuple(key or ()), tuple(order or ()), sheet).within(there)
    if twice := repeated_titles(mart.sheet.title for mart in found.values() if mart.sheet):
        raise ValueError(f"run_marts declares the sheet {', '.join(sorted(twice))} twice")
    return found
