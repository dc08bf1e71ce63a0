"""Connections that read finished runs: read-only, without a file system, tables alone."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import duckdb

from planalign import duck
from planalign.errors import EnvironmentFaultError
from planalign.files import open_regular, require_path
from planalign.interruption import is_interruption
from planalign.marts.declaration import MART_PREFIXES
from planalign.marts.tables import OWN_TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

DATABASE = "results.duckdb"
# Five years of 1,000,000 employees were exported in 1 GB as fast as in 3.
_MEMORY_LIMIT = "2GB"


def read(folders: Mapping[str, Path], writes: Path | None = None) -> duckdb.DuckDBPyConnection:
    """Open the databases of run folders read-only, each under the alias that it is given.

    A run may come from anybody. The connection is one in memory, to which the databases
    are attached; none of them is ever made the current one, for DuckDB looks there for
    functions and operators before its own. What is no table is refused, and the files of
    the machine are closed to every query, but for spills past 2 GB outside any run folder.

    Args:
        folders: run folders by alias.
        writes: a folder, or a file, that queries may write, where anything is to be written.

    Raises:
        UsageError: DuckDB cannot read the path of a database.
        EnvironmentFaultError: a database is locked, damaged, too new, or holds what no
            run holds.

    """
    connection = duck.connect(memory_limit=_MEMORY_LIMIT)
    try:
        for alias, folder in folders.items():
            _attach(connection, folder / DATABASE, alias)
        if writes is not None:
            connection.execute("set allowed_directories = ?", [[str(writes)]])
        connection.execute("set enable_external_access = false")
        connection.execute("set allowed_configs = ['threads', 'memory_limit', 'timezone']")
        connection.execute("set lock_configuration = true")
    except BaseException:
        connection.close()
        raise
    return connection


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, alias: str) -> None:
    require_path(path, without="\\")
    log = path.with_name(f"{path.name}.wal")
    with faults(f"Cannot open {path}"):
        # DuckDB would wait at a pipe.
        open_regular(path).close()
        if log.exists():
            open_regular(log).close()
        connection.execute(f"attach {duck.literal(path)} as {alias} (type duckdb, read_only)")
        odd = [
            *duck.oddities(connection, alias),
            *(
                f"view {schema}.{name}"
                for schema, name in duck.views(connection, alias)
                # Of a model of the setup, a view may stay; names do not differ by case.
                if schema != "main" or name.lower().startswith((*MART_PREFIXES, *OWN_TABLES))
            ),
        ]
    if odd:
        raise EnvironmentFaultError(
            f"{path} holds what no run holds: {', '.join(odd[:5])}",
            "It could give out other results than the run's; simulate the run again.",
        )


@contextmanager
def faults(what: str) -> Iterator[None]:
    """Turn a failure of DuckDB or of the file system into an `EnvironmentFaultError`."""
    try:
        yield
    except (duckdb.InterruptException, RuntimeError) as error:
        if is_interruption(error):
            raise KeyboardInterrupt from error
        raise
    except (duckdb.Error, OSError) as error:
        reason = str(error).strip().split("\n", 1)[0]
        raise EnvironmentFaultError(f"{what}: {reason.rstrip('.')}", _remedy(reason)) from error


def _remedy(reason: str) -> str:
    lowered = reason.lower()
    if "lock" in lowered or "already attached" in lowered:
        return "Another program is writing to it: wait for it to finish or close it, then retry."
    if "version number" in lowered:
        return "Upgrade duckdb to the version that wrote the run, or newer."
    if "memory" in lowered:
        return "Close other programs, or free space for temporary files."
    if "space" in lowered:
        return "Free disk space and retry."
    return "Check the file's permissions and its disk; if it is damaged, simulate the run again."
